// The layers as a tree: what can be opened, and how many agents use it.
import { useState } from 'preact/hooks';
import { many } from '../lib/format';
import { itemsOf, keyOf, type Item, type Kind } from './layers';
import type { ConfigModel } from './model';
import { left } from './countdown';

const HEADS: [Kind, string][] = [['defaults', 'Defaults'], ['group', 'Groups'], ['agent', 'Agents'], ['override', 'Overrides']];
const MOST = 200;

function Row({ item, model }: { item: Item; model: ConfigModel }) {
  const isOpen = model.key.value === item.key;
  const empty = item.stored === null;
  const note = item.kind === 'override' ? left(item.stored?.expires ?? null, model.clock.value) : item.kind === 'agent' ? (empty ? 'inherits all' : '') : many(item.users, 'agent');
  return (
    <li><button class="plain" aria-current={isOpen ? 'true' : undefined} title={item.key} onClick={() => void model.open(item.key)}>
      <span class={empty ? 'dim' : ''}>{item.kind === 'defaults' ? 'All agents' : item.name}</span>{model.key.value === item.key && model.dirty.value && <b class="unsaved" title="Changed, not saved">●</b>}
      <span class="dim note">{note}</span>
    </button></li>
  );
}

function Fresh({ model }: { model: ConfigModel }) {
  const [name, setName] = useState('');
  const valid = /^(group:)?[\w.-]{1,128}$/.test(name.trim()) && !/^(group:)?\.{1,2}$/.test(name.trim());
  const make = (event: Event) => {
    event.preventDefault();
    void model.open(keyOf(name.trim()));
    setName('');
  };
  const locked = model.locked;
  return (
    <form class="tools" onSubmit={make}>
      <input value={name} placeholder="agent, or group:NAME" aria-label="New document" disabled={locked} aria-describedby={locked ? 'why-read-only' : undefined} onInput={(event) => setName(event.currentTarget.value)} />
      <button type="submit" disabled={locked || !valid} aria-describedby={locked ? 'why-read-only' : undefined}>New</button>
    </form>
  );
}

export function Tree({ model }: { model: ConfigModel }) {
  const [filter, setFilter] = useState('');
  const found = model.overview.value;
  const items = found === null ? [] : itemsOf(found.documents, found.agents);
  const wanted = items.filter((one) => one.key.toLowerCase().includes(filter.trim().toLowerCase()));
  return (
    <nav class="documents" aria-label="Documents">
      <p class="dim source">{found?.source}</p>
      {items.length > 12 && <input type="search" value={filter} placeholder="Filter" aria-label="Filter documents" onInput={(event) => setFilter(event.currentTarget.value)} />}
      {HEADS.map(([kind, head]) => {
        const some = wanted.filter((one) => one.kind === kind);
        return some.length > 0 && (
          <section key={kind} aria-label={head}>
            <h3>{head}</h3>
            <ul>{some.slice(0, MOST).map((one) => <Row key={one.key} item={one} model={model} />)}</ul>
            {some.length > MOST && <p class="dim">{many(some.length - MOST, 'more', 'more')}: type to filter</p>}
          </section>
        );
      })}
      <Fresh model={model} />
    </nav>
  );
}
