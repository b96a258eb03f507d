// What to show of the fleet: states, a text, an order, groups, and the kind of view.
import { HEALTHS } from '../lib/api';
import { Icon, type IconName } from '../ui/icon';
import { VIEWS, type HomeChoice, type View } from './choice';
import { COLUMNS, type Chosen } from '../state/fleet_model';

const ICONS: Record<View, IconName> = { cards: 'cards', table: 'table', map: 'map' };
const ORDERS = COLUMNS.filter((one) => one.head !== '' && !['health', 'revision'].includes(one.key));
const ORDER_WORDS: Record<string, string> = { agent: 'Name', host: 'Host name', cpu: 'CPU', memory: 'Memory', read: 'Disk read', write: 'Disk write', in: 'Network in', out: 'Network out', seen: 'Last tick' };
const BY: [string, string][] = [['cpu', 'CPU'], ['memory', 'Memory'], ['disk', 'Disk'], ['network', 'Network']];

interface Props { choice: HomeChoice; view: View; chosen: Chosen; labels: string[]; names: string[]; change: (next: Partial<HomeChoice>) => void }

export function States({ choice, chosen, change }: Pick<Props, 'choice' | 'chosen' | 'change'>) {
  const toggle = (state: HomeChoice['only']) => change({ only: choice.only === state ? null : state });
  const wrong = chosen.troubled.length;
  return (
    <div class="chips" role="group" aria-label="States">
      {HEALTHS.filter((one) => one === 'alive' || (chosen.counts.get(one) ?? 0) > 0 || choice.only === one).map((one) => (
        <button key={one} class={`chip ${one}`} aria-pressed={choice.only === one} onClick={() => toggle(one)}><i class="dot" /><b>{chosen.counts.get(one) ?? 0}</b> {one}</button>
      ))}
      {(wrong > 0 || choice.only === 'problems') && <button class="chip problems" aria-pressed={choice.only === 'problems'} onClick={() => toggle('problems')}><Icon name="warn" size={12} /><b>{wrong}</b> with problems</button>}
    </div>
  );
}

function Select({ label, value, options, pick }: { label: string; value: string; options: [string, string][]; pick: (value: string) => void }) {
  return (
    <label class="select"><span>{label}</span>
      <select value={value} onChange={(event) => pick(event.currentTarget.value)}>{options.map(([key, word]) => <option key={key} value={key}>{word}</option>)}</select>
    </label>
  );
}

export function Toolbar({ choice, view, chosen, labels, names, change }: Props) {
  const by: [string, string][] = [...BY, ...names.map((one): [string, string] => [one, one])];
  if (!by.some(([key]) => key === choice.by)) by.push([choice.by, choice.by]);
  return (
    <div class="tools">
      <States choice={choice} chosen={chosen} change={change} />
      <input type="search" value={choice.text} placeholder="Filter hosts and labels  /" aria-label="Filter hosts and labels" onInput={(event) => change({ text: event.currentTarget.value })} />
      <span class="grow" />
      {view === 'map' && <Select label="Colour" value={choice.by} options={by} pick={(value) => change({ by: value })} />}
      {view !== 'table' && <Select label="Sort" value={choice.order} options={ORDERS.map((one) => [one.key, ORDER_WORDS[one.key] ?? one.head])} pick={(order) => change({ order, down: !['agent', 'host'].includes(order) })} />}
      {view === 'cards' && <Select label="Group" value={choice.group} options={[['', 'No groups'], ['state', 'State'], ...labels.map((one): [string, string] => [one, one])]} pick={(group) => change({ group })} />}
      <div class="segments" role="group" aria-label="View">
        {VIEWS.map((one) => <button key={one} aria-pressed={view === one} title={`Show as ${one}`} onClick={() => change({ view: one })}><Icon name={ICONS[one]} /><span>{one === 'cards' ? 'Cards' : one === 'table' ? 'Table' : 'Map'}</span></button>)}
      </div>
    </div>
  );
}
