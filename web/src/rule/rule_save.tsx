// The dialog that stores a rule in the configuration: what changes, and what to do if somebody else has changed it.
import type { Signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { ApiError } from '../lib/api';
import { session } from '../lib/session';
import { savedToken } from '../lib/token';
import { Dialog } from '../ui/dialog';
import { DiffView } from '../ui/diff_view';
import type { RuleModel } from './rule_model';

function why(error: unknown): string {
  return error instanceof ApiError && error.status === 401 && session.changes() === 'token' ? 'The token is wrong: it is in the file web-token in the server\'s data folder.' : (error as Error).message;
}

function Conflict({ model, overwrite }: { model: RuleModel; overwrite: () => void }) {
  const theirs = model.conflict.value!;
  return (
    <div class="conflict" role="alert">
      <p><strong>{theirs.tag === null ? 'Somebody has deleted this file meanwhile.' : 'Somebody has changed this file meanwhile.'}</strong> This is what differs between their version and yours:</p>
      <DiffView before={theirs.text} after={model.text.value} label="Their version and yours" />
      <div class="dialog-end">
        {theirs.tag !== null && <button type="button" onClick={() => model.takeTheirs()}>Take theirs</button>}
        <button type="button" onClick={overwrite}>Store mine</button>
      </div>
    </div>
  );
}

function Form({ model, text, open, done }: { model: RuleModel; text: string; open: Signal<boolean>; done: (deleted: boolean) => void }) {
  const [token, setToken] = useState(savedToken);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const needsToken = session.changes() === 'token';
  const before = model.loaded.value?.text ?? '';
  const name = model.loaded.value?.document ?? model.name.value;
  const save = async (base?: string | null) => {
    setBusy(true);
    try {
      if (!await (base === undefined ? model.save(text, token) : model.save(text, token, base))) return;
      open.value = false;
      done(text === '');
    } catch (error) {
      setFault(why(error));
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void save();
  };
  return (
    <form class="rule-save" onSubmit={submit}>
      <h2>{text === '' ? `Delete the rules ${name}` : `Store the rules ${name}`}</h2>
      <p class="dim">All servers that use this configuration evaluate them from then on.</p>
      {model.conflict.value === null && <DiffView before={before} after={text} label="What changes" />}
      {needsToken && <label>Token for changes<input type="password" autocomplete="off" required value={token} onInput={(event) => setToken(event.currentTarget.value)} /></label>}
      {fault !== '' && <p class="warn" role="alert">{fault}</p>}
      {model.conflict.value !== null && <Conflict model={model} overwrite={() => void save(model.conflict.value!.tag)} />}
      <div class="dialog-end">
        <button type="button" onClick={() => { open.value = false; }}>Cancel</button>
        {model.conflict.value === null && <button class="main" type="submit" disabled={busy}>{text === '' ? 'Delete' : 'Store'}</button>}
      </div>
    </form>
  );
}

export function SaveDialog({ model, text, open, done }: { model: RuleModel; text: string; open: Signal<boolean>; done: (deleted: boolean) => void }) {
  return <Dialog open={open} label="Store rules" class="wide">{open.value && <Form model={model} text={text} open={open} done={done} />}</Dialog>;
}
