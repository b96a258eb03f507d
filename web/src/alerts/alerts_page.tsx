// Alerts: those that are firing, pending or silenced, their past, silences and rules.
import { useSignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { go } from '../lib/page';
import { stream } from '../lib/stream';
import type { PageProps } from '../shell/pages';
import type { Alert } from '../state/alert';
import { alerts, alertsFault, refreshAlerts } from '../state/alerts';
import { useEffect } from '../ui/effect';
import { Empty, Failed } from '../ui/states';
import { AlertRow } from './alert_row';
import { History } from './history';
import { Rules } from './rules';
import { SilenceDialog } from './silence_form';
import { Silences } from './silences';

const quiet = (alert: Alert) => alert.silencedBy.length > 0 || alert.inhibitedBy.length > 0;
const TABS: [string, string, (alert: Alert) => boolean][] = [
  ['firing', 'Firing', (alert) => alert.state === 'firing' && !quiet(alert)],
  ['pending', 'Pending', (alert) => alert.state === 'pending' && !quiet(alert)],
  ['silenced', 'Silenced', quiet],
];

export default function AlertsPage({ parameters }: PageProps) {
  const tab = TABS.find(([id]) => id === parameters.get('state')) ?? TABS[0]!;
  const open = useSignal(false);
  const [chosen, setChosen] = useState<Alert | null>(null);
  const [changed, setChanged] = useState(0);
  useEffect(() => {
    void refreshAlerts();
    stream.attend(() => void refreshAlerts());
  }, []);
  const shown = alerts.value.filter(tab[2]);
  const silence = (alert: Alert) => {
    setChosen(alert);
    open.value = true;
  };
  return (
    <section class="alerts-page">
      <h1>Alerts</h1>
      <div class="segments tabs" role="group" aria-label="State">
        {TABS.map(([id, title, of]) => <button key={id} aria-pressed={id === tab[0]} onClick={() => go('alerts', id === 'firing' ? {} : { state: id })}>{title} <span class="count">{alerts.value.filter(of).length}</span></button>)}
      </div>
      {alertsFault.value !== '' && <Failed what="Alerts cannot be read" why={alertsFault.value} retry={() => void refreshAlerts()} />}
      {alertsFault.value === '' && shown.length === 0 && <Empty icon="check" title={`Nothing is ${tab[0]}`} />}
      <div class="alert-list">{shown.map((one) => <AlertRow key={`${one.fingerprint} ${one.state}`} alert={one} silence={silence} />)}</div>
      <History />
      <Silences changed={changed} />
      <Rules />
      <SilenceDialog alert={chosen} open={open} done={() => setChanged(changed + 1)} />
    </section>
  );
}
