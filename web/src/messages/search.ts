// What the user searches for. The page's address holds it; knows nothing of the DOM.
import type { Parameters } from '../lib/api';
import { momentOf, type Moment } from './times';

export const FIELDS = ['agent', 'at', 'partition', 'offset', 'metric', 'since', 'until', 'kind'] as const;
export type Field = (typeof FIELDS)[number];
export type Fields = Record<Field, string>;

export interface Search extends Fields {
  tail: boolean;
  late: boolean;  // with `at`: search all later messages for ticks of that time
  open: string;   // the message that is open: "partition:offset"
  view: 'messages' | 'log';
}

export function searchOf(parameters: URLSearchParams): Search {
  const fields = Object.fromEntries(FIELDS.map((name) => [name, parameters.get(name)?.trim() ?? ''])) as Fields;
  return { ...fields, tail: parameters.get('tail') === '1', late: parameters.get('late') === '1', open: parameters.get('open') ?? '', view: parameters.get('view') === 'log' ? 'log' : 'messages' };
}

// The form for the address: only what differs from the start.
export function parametersOf(search: Search): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of FIELDS) if (search[name] !== '') out[name] = search[name];
  if (search.tail) out['tail'] = '1';
  if (search.late) out['late'] = '1';
  if (search.open !== '') out['open'] = search.open;
  if (search.view === 'log') out['view'] = 'log';
  return out;
}

// What to ask the server for. `around`: messages before and after a moment; `offset`: before and after an offset; `late`:
// from a moment on, those with ticks of it.
export type Plan =
  | { mode: 'newest'; filters: Parameters }
  | { mode: 'around' | 'late'; filters: Parameters; moment: Moment }
  | { mode: 'offset'; filters: Parameters; partition: number; offset: number }
  | { mode: 'fault'; field: Field; text: string };

const whole = (text: string): number | null => (/^\d{1,15}$/.test(text) ? Number(text) : null);
const fault = (field: Field, text: string): Plan => ({ mode: 'fault', field, text });
const TIME = 'is no time: write 12:00, 12:00:05, 2026-11-30 12:00 or -10m';

// `partitions`: how many the log has; 0: unknown.
export function planOf(search: Search, now: number, utc: boolean, partitions: number): Plan {
  const filters: Parameters = {};
  if (search.agent !== '') filters['agent'] = search.agent;
  if (search.metric !== '') filters['metric'] = search.metric;
  if (search.kind === 'corrupt' || search.kind === 'decoded') filters['kind'] = search.kind;
  if (search.partition !== '') {
    if (whole(search.partition) === null) return fault('partition', `“${search.partition}” is no partition`);
    filters['partition'] = search.partition;
  }
  for (const name of ['since', 'until'] as const) {
    if (search[name] === '') continue;
    const moment = momentOf(search[name], now, utc);
    if (moment === null) return fault(name, `“${search[name]}” ${TIME}`);
    filters[name] = moment.from.toFixed(6);
  }
  if (search.offset !== '') {
    const offset = whole(search.offset);
    const partition = search.partition === '' && partitions === 1 ? 0 : whole(search.partition);
    if (offset === null) return fault('offset', `“${search.offset}” is no offset`);
    if (partition === null) return fault('offset', 'Choose the partition of the offset');
    return { mode: 'offset', filters: { ...filters, partition }, partition, offset };
  }
  if (search.at === '') return { mode: 'newest', filters };
  const moment = momentOf(search.at, now, utc);
  if (moment === null) return fault('at', `“${search.at}” ${TIME}`);
  return { mode: search.late ? 'late' : 'around', filters, moment };
}

// Whether two searches show the same list.
export function sameList(a: Search, b: Search): boolean {
  return a.tail === b.tail && a.late === b.late && FIELDS.every((name) => a[name] === b[name]);
}
