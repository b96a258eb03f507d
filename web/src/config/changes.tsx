// What would be saved: the difference, who is affected and how, and the button that saves it.
import { useRef } from 'preact/hooks';
import type { ConfigPreview } from '../lib/api';
import { many } from '../lib/format';
import { DiffView } from '../ui/diff_view';
import { useEffect } from '../ui/effect';
import { alike, layerName, overrideOf } from './layers';
import type { ConfigModel } from './model';

const MOST = 12;
const brief = (value: unknown) => {
  const text = value === null ? 'none' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

// `what`: the layer that is written.
function Affected({ preview, what }: { preview: ConfigPreview; what: string }) {
  const { affected, uses, refusing, rows } = preview;
  const hidden = uses - affected;
  return (
    <div class="affected">
      <p><b>{affected === 0 ? 'No agent changes' : `${many(affected, 'agent')} ${affected === 1 ? 'changes' : 'change'}`}</b>
        {uses > 0 && ` of ${many(uses, 'agent')} that ${uses === 1 ? 'uses' : 'use'} ${what}`}{uses === 0 && `: none uses ${what} yet`}{hidden > 0 && affected > 0 && `; for ${hidden} another layer hides it`}.</p>
      {refusing > 0 && <p class="warn" role="alert">{many(refusing, 'agent')} would reject the result: {rows.flatMap((row) => row.problems.map((one) => `${row.agent}: ${one}`)).slice(0, 3).join('; ')}</p>}
      {rows.length > 0 && (
        <ul class="affected-rows">{alike(rows).slice(0, MOST).map(({ agents, changes }) => (
          <li key={agents[0]}><b>{agents.slice(0, MOST).join(', ')}</b>{agents.length > MOST && ` and ${agents.length - MOST} more`}{' '}
            {changes.slice(0, 4).map((one) => <span key={one.path} class="from-to"><code>{one.path.slice(1)}</code> <s>{brief(one.before)}</s> → <b>{brief(one.after)}</b> </span>)}
            {changes.length > 4 && <span class="dim">and {changes.length - 4} more</span>}</li>
        ))}
        {affected > rows.length && <li class="dim">and {many(affected - rows.length, 'more agent')}</li>}</ul>
      )}
    </div>
  );
}

export function Token({ model }: { model: ConfigModel }) {
  const field = useRef<HTMLInputElement>(null);
  const said = model.saved.value;
  useEffect(() => { if (said?.good === false && said.what.includes('token')) field.current?.focus(); }, [said]);
  if (!model.wantsToken) return null;
  return <input ref={field} type="password" placeholder="token" aria-label="Token for changes" autocomplete="off" value={model.token.value} onInput={(event) => { model.token.value = event.currentTarget.value; }} />;
}

// What the server says of the text. The fields of the form say it beside themselves.
function Verdict({ model }: { model: ConfigModel }) {
  const problems = model.problems.value;
  const { faults } = model.scanned.value;
  const checked = model.checked.value;
  return (
    <div class="problems" role="status">
      {problems.map((one) => <p key={one.text} class={one.warning ? 'dim' : 'warn'}>{one.text}</p>)}
      {problems.length === 0 && faults.length > 0 && <p class="warn">{faults[0]!.message}</p>}
      {checked?.text !== model.text.value && faults.length === 0 && <p class="dim">Checking…</p>}
    </div>
  );
}

export function Changes({ model }: { model: ConfigModel }) {
  if (!model.dirty.value || model.readOnly.value) return null;
  const preview = model.preview.value;
  return (
    <section class="pending" aria-label="Changes">
      <DiffView before={model.state.value === 'new' ? '' : model.untouched.value} after={model.text.value} label="Changes, line by line" />
      <Verdict model={model} />
      {preview !== null && model.valid.value && <Affected preview={preview} what={model.lasting.value === 0 ? 'this document' : `the ${layerName(overrideOf(model.key.value))}`} />}
    </section>
  );
}

const SPANS: [number, string][] = [[0, 'for good'], [600, 'for 10 min'], [3600, 'for 1 h'], [28_800, 'for 8 h'], [86_400, 'for 1 d']];

// For a time: as an override, which ends by itself.
function Lasting({ model }: { model: ConfigModel }) {
  return (
    <select aria-label="How long" value={String(model.lasting.value)} onChange={(event) => void model.last(Number(event.currentTarget.value))}>
      {SPANS.map(([seconds, word]) => <option key={seconds} value={String(seconds)}>{word}</option>)}
    </select>
  );
}

// Why: for the history.
function Why({ model }: { model: ConfigModel }) {
  return <input class="why" aria-label="Why, for the history" placeholder="why (optional)" maxLength={500} value={model.why.value} onInput={(event) => { model.why.value = event.currentTarget.value; }} />;
}

export function SaveBar({ model }: { model: ConfigModel }) {
  const said = model.saved.value;
  const { readOnly, dirty } = model;
  const describe = model.locked ? { 'aria-describedby': 'why-read-only' } : {};
  const exists = model.state.value === 'stored';
  const remove = () => { if (window.confirm(`Delete ${model.key.value}?`)) void model.remove(); };
  return (
    <div class="save-bar">
      <div class="tools">
        <Token model={model} />
        {dirty.value && !readOnly.value && <Why model={model} />}
        <button class="main" disabled={!model.canSave.value} title="Ctrl-S" onClick={() => void model.save()} {...describe}>Save</button>
        {dirty.value && !readOnly.value && <Lasting model={model} />}
        <button disabled={readOnly.value || !dirty.value} onClick={() => model.discard()} {...describe}>Discard</button>
        <button disabled={readOnly.value || !exists} onClick={remove} {...describe}>Delete</button>
        {!dirty.value && !readOnly.value && said === null && <span class="dim">{exists ? 'Nothing is changed.' : 'There is no document yet: set something to create it.'}</span>}
      </div>
      <div class="saved" role="status">{said !== null && <p class={said.good ? 'good' : 'warn'}>{said.what}</p>}</div>
    </div>
  );
}
