// Settings of this browser.
import type { Signal } from '@preact/signals';
import { DENSITIES, NETWORK_UNITS, settings, THEMES, ZONES } from '../state/settings';
import { Dialog } from '../ui/dialog';
import { settingsOpen } from './overlays';

interface ChoiceProps<T extends string> { legend: string; name: string; value: Signal<T>; choices: readonly T[]; words: Record<T, string> }

function Choice<T extends string>({ legend, name, value, choices, words }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div class="segments">
        {choices.map((one) => (
          <label key={one}>
            <input type="radio" name={name} value={one} checked={value.value === one} onChange={() => { value.value = one; }} />
            <span>{words[one]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function SettingsDialog() {
  return (
    <Dialog open={settingsOpen} label="Settings">
      <h2>Settings</h2>
      <p class="dim">They are kept in this browser.</p>
      <Choice legend="Theme" name="theme" value={settings.theme} choices={THEMES} words={{ system: 'As the system', light: 'Light', dark: 'Dark' }} />
      <Choice legend="Density" name="density" value={settings.density} choices={DENSITIES} words={{ comfortable: 'Comfortable', compact: 'Compact' }} />
      <Choice legend="Times" name="zone" value={settings.zone} choices={ZONES} words={{ browser: 'Local time', utc: 'UTC' }} />
      <Choice legend="Network rates" name="network" value={settings.network} choices={NETWORK_UNITS} words={{ bytes: 'Bytes per second', bits: 'Bits per second' }} />
      <div class="dialog-end"><button onClick={() => { settingsOpen.value = false; }}>Close</button></div>
    </Dialog>
  );
}
