// What to search for. The list follows as one types.
import { useRef, useState } from 'preact/hooks';
import { ask, type Fleet } from '../lib/api';
import { useEffect } from '../ui/effect';
import { Icon } from '../ui/icon';
import type { Field, Plan, Search } from './search';

const WAIT = 450;  // milliseconds after the last key

interface FieldProps { name: Field; label: string; hint: string; value: string; fault: string; list?: string; change: (value: string) => void }

// Tells what was typed after a pause, at once with Enter.
function TextField({ name, label, hint, value, fault, list, change }: FieldProps) {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (next: string) => {
    clearTimeout(timer.current);
    if (next.trim() === told.current) return;
    told.current = next.trim();
    change(next.trim());
  };
  const typed = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => tell(next), WAIT);
  };
  return (
    <label>{label}
      <input name={name} class={`in-${name}`} value={text} placeholder={hint} autocomplete="off" spellcheck={false} list={list} aria-invalid={fault !== ''} aria-describedby={fault === '' ? undefined : 'search-fault'}
        onInput={(event) => typed(event.currentTarget.value)} onChange={() => tell(text)} onKeyDown={(event) => { if (event.key === 'Enter') tell(text); }} />
    </label>
  );
}

// The names of agents, once the field has the focus.
function useAgents(): { names: string[]; load: () => void } {
  const [names, setNames] = useState<string[]>([]);
  const asked = useRef(false);
  const load = () => {
    if (asked.current) return;
    asked.current = true;
    ask<Fleet>('/fleet').then((fleet) => setNames(fleet.agents.map((one) => one.agent)), () => { asked.current = false; });
  };
  return { names, load };
}

interface Props {
  place: { current: HTMLFormElement | null };
  search: Search; fault: Extract<Plan, { mode: 'fault' }> | null; partitions: number;
  change: (next: Partial<Search>) => void;
}

export function SearchForm({ place, search, fault, partitions, change }: Props) {
  const agents = useAgents();
  const [more, setMore] = useState(['metric', 'since', 'until', 'kind'].some((name) => search[name as Field] !== ''));
  const faultOf = (name: Field) => (fault?.field === name ? fault.text : '');
  const field = (name: Field, label: string, hint: string, next: (value: string) => Partial<Search> = (value) => ({ [name]: value }), list?: string) => (
    <TextField name={name} label={label} hint={hint} value={search[name]} fault={faultOf(name)} change={(value) => change(next(value))} {...(list === undefined ? {} : { list })} />
  );
  // A time or an offset is a place in the log; the tail is another one.
  const jump = (name: 'at' | 'offset') => (value: string): Partial<Search> => ({ at: '', offset: '', [name]: value, tail: value === '' && search.tail });
  return (
    <>
      <form ref={place} class="tools message-search" role="search" aria-label="Messages" onSubmit={(event) => event.preventDefault()} onFocusCapture={agents.load}>
        {field('agent', 'Agent or key', 'web-1, web-*', undefined, 'message-agents')}
        {field('at', 'Time', '12:00:00, -10m', jump('at'))}
        <label>Partition
          <select name="partition" class="in-partition" value={search.partition} onChange={(event) => change({ partition: event.currentTarget.value, ...(search.offset === '' ? {} : { offset: '' }) })}>
            <option value="">all</option>
            {Array.from({ length: Math.max(partitions, Number(search.partition || -1) + 1) }, (_, i) => <option key={i} value={String(i)}>{i}</option>)}
          </select>
        </label>
        {field('offset', 'Offset', 'newest', jump('offset'))}
        <button type="button" aria-expanded={more} onClick={() => setMore(!more)}><Icon name={more ? 'minus' : 'plus'} size={12} />Filters</button>
        <button type="button" class="tail-button" aria-pressed={search.tail} title="Show messages as they come  t" onClick={() => change({ tail: !search.tail, at: '', offset: '' })}><Icon name="play" size={12} />Tail</button>
        <datalist id="message-agents">{agents.names.map((one) => <option key={one} value={one} />)}</datalist>
        {more && (
          <div class="tools more-filters">
            {field('metric', 'Metric', 'system.cpu.*')}
            {field('since', 'Stored since', '-1h, 2026-11-22 12:00')}
            {field('until', 'Stored before', '-5m')}
            <label>Content
              <select name="kind" class="in-kind" value={search.kind} onChange={(event) => change({ kind: event.currentTarget.value })}>
                <option value="">all</option><option value="decoded">can be decoded</option><option value="corrupt">cannot be decoded</option>
              </select>
            </label>
          </div>
        )}
      </form>
      {fault !== null && <p id="search-fault" class="warn" role="alert">{fault.text}.</p>}
    </>
  );
}
