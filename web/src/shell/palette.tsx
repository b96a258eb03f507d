// The command palette: finds hosts, metrics, pages and actions by a few letters.
import { useMemo, useRef, useState } from 'preact/hooks';
import { ask, type Fleet } from '../lib/api';
import { go } from '../lib/page';
import { toggleTheme, settings } from '../state/settings';
import { Dialog } from '../ui/dialog';
import { useEffect } from '../ui/effect';
import { Icon, type IconName } from '../ui/icon';
import { find, type Item } from './find';
import { helpOpen, paletteOpen, settingsOpen } from './overlays';
import { PAGES } from './pages';

const ICONS: Record<Item['kind'], IconName> = { page: 'right', host: 'host', metric: 'explore', action: 'play' };
const NAMES: Record<Item['kind'], string> = { page: 'page', host: 'host', metric: 'metric', action: 'action' };

function fixedItems(): Item[] {
  return [
    ...PAGES.map((one): Item => ({ kind: 'page', title: one.title, note: `g ${one.key}`, run: () => go(one.name) })),
    { kind: 'action', title: 'New alerting rule', note: 'alert record test', run: () => go('rule') },
    { kind: 'action', title: 'Switch between light and dark', note: 'theme', run: toggleTheme },
    { kind: 'action', title: 'Settings', note: 'theme density time zone units', run: () => { settingsOpen.value = true; } },
    { kind: 'action', title: 'Show keys', note: 'help', run: () => { helpOpen.value = true; } },
    { kind: 'action', title: 'Switch between local time and UTC', note: 'time zone', run: () => { settings.zone.value = settings.zone.value === 'utc' ? 'browser' : 'utc'; } },
  ];
}

async function hostItems(): Promise<Item[]> {
  const fleet = await ask<Fleet>('/fleet');
  return fleet.agents.map((one): Item => ({ kind: 'host', title: one.agent, note: [one.host, ...Object.entries(one.labels).map(([name, value]) => `${name}=${value}`)].join(' '), run: () => go('agent', { agents: one.agent }) }));
}

async function metricItems(): Promise<Item[]> {
  const response = await fetch('/api/v1/label/__name__/values', { cache: 'no-store' });
  const names = ((await response.json()) as { data?: string[] }).data ?? [];
  return names.map((name): Item => ({ kind: 'metric', title: name, note: 'explore', run: () => go('explore', { q: name }) }));
}

function Finder() {
  const [items, setItems] = useState<Item[]>(fixedItems);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    let over = false;
    field.current?.focus();
    for (const load of [hostItems, metricItems]) {
      load().then((more) => { if (!over) setItems((before) => [...before, ...more]); }, () => undefined);  // the rest can be found
    }
    return () => { over = true; };
  }, []);
  const found = useMemo(() => find(items, typed), [items, typed]);
  useEffect(() => { list.current?.children[at]?.scrollIntoView({ block: 'nearest' }); }, [at]);
  const run = (item: Item | undefined) => {
    if (item === undefined) return;
    paletteOpen.value = false;
    item.run();
  };
  const onKey = (pressed: KeyboardEvent) => {
    if (pressed.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
    else if (pressed.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
    else if (pressed.key === 'Enter') run(found[at]);
    else return;
    pressed.preventDefault();
  };
  return (
    <>
      <label class="palette-field"><Icon name="search" /><span class="visually-hidden">Find</span>
        <input ref={field} value={typed} placeholder="Find a host, metric, page or action" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={found.length > 0 ? `palette-${at}` : undefined}
          spellcheck={false} autocomplete="off" onKeyDown={onKey} onInput={(event) => { setTyped(event.currentTarget.value); setAt(0); }} />
        <kbd>Esc</kbd>
      </label>
      <ul ref={list} id="palette-list" role="listbox" aria-label="Found">
        {found.map((item, i) => (
          <li key={`${item.kind} ${item.title}`} id={`palette-${i}`} role="option" aria-selected={i === at} onClick={() => run(item)} onMouseMove={() => setAt(i)}>
            <Icon name={ICONS[item.kind]} /><span class="palette-title">{item.title}</span><span class="palette-note">{item.note}</span><span class="palette-kind">{NAMES[item.kind]}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="dim palette-none" role="status">Nothing is called so.</p>}
    </>
  );
}

export function Palette() {
  return <Dialog open={paletteOpen} label="Find" class="palette"><Finder /></Dialog>;
}
