// The form that silences an alert: for how long, which labels, and why.
import type { Signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { ApiError } from '../lib/api';
import { session } from '../lib/session';
import { savedToken } from '../lib/token';
import { refreshAlerts } from '../state/alerts';
import type { Alert } from '../state/alert';
import { Dialog } from '../ui/dialog';
import { matchersOf } from './matchers';
import { setSilence } from './silence';

const SPANS: [string, number][] = [['30 min', 1800], ['2 h', 7200], ['8 h', 28800], ['1 d', 86400], ['7 d', 604800]];

function Form({ alert, open, done }: { alert: Alert; open: Signal<boolean>; done: () => void }) {
  const [seconds, setSeconds] = useState(7200);
  const [chosen, setChosen] = useState<Record<string, string>>(() => ({ alertname: alert.name, ...(alert.agent === '' ? {} : { agent: alert.agent }) }));
  const [reason, setReason] = useState('');
  const [token, setToken] = useState(savedToken);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const needsToken = session.changes() === 'token';
  const toggle = (name: string) => {
    const next = { ...chosen };
    if (name in next) delete next[name];
    else next[name] = alert.labels[name]!;
    setChosen(next);
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await setSilence(matchersOf(chosen), seconds, reason, token);
      await refreshAlerts();
      done();
      open.value = false;
    } catch (error) {
      setFault(error instanceof ApiError && error.status === 401 && needsToken ? 'The token is wrong: it is in the file web-token in the server\'s data folder.' : (error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="silence-form" onSubmit={(event) => void submit(event)}>
      <h2>Silence {alert.name}</h2>
      <fieldset class="choice"><legend>For</legend><div class="segments">
        {SPANS.map(([label, value]) => <button key={label} type="button" aria-pressed={seconds === value} onClick={() => setSeconds(value)}>{label}</button>)}
      </div></fieldset>
      <fieldset class="choice matchers"><legend>Alerts with all of these labels</legend>
        {Object.entries(alert.labels).map(([name, value]) => (
          <button key={name} type="button" class="chip" aria-pressed={name in chosen} onClick={() => toggle(name)}>{name}={value}</button>
        ))}
      </fieldset>
      <label>Reason<input autofocus value={reason} required maxLength={500} placeholder="Why nobody needs to be told" onInput={(event) => setReason(event.currentTarget.value)} /></label>
      {needsToken && <label>Token for changes<input type="password" autocomplete="off" required value={token} onInput={(event) => setToken(event.currentTarget.value)} /></label>}
      {fault !== '' && <p class="warn" role="alert">{fault}</p>}
      <div class="dialog-end">
        <button type="button" onClick={() => { open.value = false; }}>Cancel</button>
        <button class="main" type="submit" disabled={busy || Object.keys(chosen).length === 0}>Silence</button>
      </div>
    </form>
  );
}

export function SilenceDialog({ alert, open, done }: { alert: Alert | null; open: Signal<boolean>; done: () => void }) {
  return <Dialog open={open} label="Silence an alert">{alert !== null && <Form alert={alert} open={open} done={done} />}</Dialog>;
}
