// What the user has set for this browser: it is kept in its storage, and nowhere else.
import { effect, signal, type Signal } from '@preact/signals';

function kept<T extends string>(name: string, choices: readonly T[]): Signal<T> {
  const key = `monitor-${name}`;
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(key);
  } catch {
    // Storage may be forbidden. The settings then last until the page is closed.
  }
  const value = signal<T>(choices.find((one) => one === stored) ?? choices[0]!);
  let first = true;
  effect(() => {
    const now = value.value;
    if (!first) {
      try {
        localStorage.setItem(key, now);
      } catch {
        // As above.
      }
    }
    first = false;
  });
  return value;
}

export const THEMES = ['system', 'light', 'dark'] as const;
export const DENSITIES = ['comfortable', 'compact'] as const;
export const ZONES = ['browser', 'utc'] as const;
export const NETWORK_UNITS = ['bytes', 'bits'] as const;
export type Theme = (typeof THEMES)[number];

export const settings = {
  theme: kept<Theme>('theme', THEMES),
  density: kept('density', DENSITIES),
  zone: kept('zone', ZONES),
  network: kept('network', NETWORK_UNITS),
};

const systemDark = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(systemDark?.matches ?? false);
systemDark?.addEventListener('change', (change) => { systemIsDark.value = change.matches; });

export function isDark(): boolean {
  return settings.theme.value === 'system' ? systemIsDark.value : settings.theme.value === 'dark';
}

export function toggleTheme(): void {
  settings.theme.value = isDark() ? 'light' : 'dark';
}

// Writes theme and density to the document, where the style reads them.
export function applySettings(root: HTMLElement): void {
  effect(() => {
    root.dataset['theme'] = isDark() ? 'dark' : 'light';
    root.dataset['density'] = settings.density.value;
  });
}
