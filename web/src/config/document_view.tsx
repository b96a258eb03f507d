// The open document: a form or its text, what is changed, and what is known about it.
import { many } from '../lib/format';
import { Failed, Loading, Skeleton } from '../ui/states';
import { Changes, SaveBar } from './changes';
import { Conflict } from './conflict';
import { left } from './countdown';
import { Effective } from './effective';
import { Form } from './form';
import { History } from './history';
import { JsonView } from './json_view';
import { keyOf, kindOf, nameOf, usersOf } from './layers';
import type { ConfigModel } from './model';
import { RolloutPanel } from './rollout';

export type How = 'form' | 'json';

function title(key: string): string {
  const kind = kindOf(key);
  return kind === 'defaults' ? 'Defaults of all agents' : kind === 'group' ? `Group ${nameOf(key)}` : nameOf(key);
}

const MOST_NAMED = 10;

function Users({ model }: { model: ConfigModel }) {
  const users = usersOf(model.key.value, model.overview.value?.agents ?? []);
  if (users.length === 0) return <p class="dim">No agent uses it.</p>;
  return (
    <p class="dim users">Used by {many(users.length, 'agent')}: {users.slice(0, MOST_NAMED).map((one) => <button key={one.agent} class="plain" onClick={() => void model.open(keyOf(one.agent))}>{one.agent}</button>)}
      {users.length > MOST_NAMED && ` and ${users.length - MOST_NAMED} more`}</p>
  );
}

function Head({ model, how, choose }: { model: ConfigModel; how: How; choose: (how: How) => void }) {
  const key = model.key.value;
  const kind = kindOf(key);
  const meta = [key, ...(model.place.value === key ? [] : [model.place.value]), ...(model.revision.value === 0 ? [] : [`revision ${model.revision.value}`])];
  return (
    <header class="document-head">
      <div><h2>{title(key)}</h2><p class="dim">{meta.join(' · ')}</p>{kind !== 'agent' && <Users model={model} />}</div>
      {kind !== 'override' && <div class="segments" role="group" aria-label="Edit as">{(['form', 'json'] as const).map((one) => <button key={one} aria-pressed={how === one} onClick={() => choose(one)}>{one === 'form' ? 'Form' : 'JSON'}</button>)}</div>}
    </header>
  );
}

function Override({ model }: { model: ConfigModel }) {
  const stored = model.overview.value?.documents.find((one) => one.key === model.key.value);
  const end = () => { if (window.confirm(`End ${model.key.value} now?`)) void model.remove(); };
  return (
    <div class="tools"><span class="countdown">{left(stored?.expires ?? null, model.clock.value)}</span>
      <button disabled={model.locked || model.state.value !== 'stored'} aria-describedby={model.locked ? 'why-read-only' : undefined} onClick={end}>End now</button></div>
  );
}

export function DocumentView({ model, how, choose }: { model: ConfigModel; how: How; choose: (how: How) => void }) {
  const state = model.state.value;
  const isOverride = kindOf(model.key.value) === 'override';
  return (
    <section class="editor" aria-label="Document">
      <Head model={model} how={how} choose={choose} />
      {model.locked && <p class="dim" id="why-read-only">You are a viewer: changes need the role editor.</p>}
      {state === 'loading' && <Loading what="the document"><Skeleton shape="chart" /></Loading>}
      {state === 'failed' && <Failed what="The document cannot be read" why={model.saved.value?.what ?? ''} retry={() => void model.load()} />}
      {(state === 'new' || state === 'stored') && (
        <>
          <Conflict model={model} />
          {isOverride && <Override model={model} />}
          {how === 'json' || isOverride ? <JsonView key={model.key.value} model={model} /> : <Form key={model.key.value} model={model} json={() => choose('json')} />}
          {!isOverride && <div class="dock"><Changes model={model} /><SaveBar model={model} /></div>}
          <RolloutPanel model={model} />
        </>
      )}
      <Effective model={model} />
      <History model={model} />
    </section>
  );
}
