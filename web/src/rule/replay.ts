// What a replay of rules found, in the form of the page. Knows nothing of the DOM.
import { clock, many } from '../lib/format';
import { age } from '../lib/format';
import type { Replay } from './rule_api';

export type Found = Replay['alerts'][number];
export interface Part { state: 'pending' | 'firing'; from: number; to: number; open: boolean }
export interface Lane { name: string; labels: Record<string, string>; agent: string; parts: Part[]; fired: number; seconds: number }

// The labels that tell alerts apart: those that all share, such as the severity, say nothing.
export function namesOf(all: Record<string, string>[]): string[] {
  const names = [...new Set(all.flatMap((one) => Object.keys(one)))].sort();
  const telling = names.filter((name) => all.some((one) => one[name] !== all[0]![name]));
  const shown = telling.length > 0 ? telling : names.filter((name) => name === 'agent');
  return all.map((one) => shown.filter((name) => one[name] !== undefined).map((name) => (name === 'agent' ? one[name]! : `${name}=${one[name]}`)).join(' ') || '{}');
}

// One lane for each set of labels; those that fired longest come first.
export function lanesOf({ alerts, from, to }: Pick<Replay, 'alerts' | 'from' | 'to'>): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const { labels, active, fired, ended } of alerts) {
    const key = JSON.stringify(labels);
    const { alertname: _, ...rest } = labels;
    const lane = lanes.get(key) ?? { name: '', labels: rest, agent: labels['agent'] ?? '', parts: [], fired: 0, seconds: 0 };
    const end = ended ?? to;
    if (fired === null || fired > active) lane.parts.push({ state: 'pending', from: Math.max(active, from), to: fired ?? end, open: fired === null && ended === null });
    if (fired !== null) {
      lane.parts.push({ state: 'firing', from: fired, to: end, open: ended === null });
      ++lane.fired;
      lane.seconds += end - fired;
    }
    lanes.set(key, lane);
  }
  const all = [...lanes.values()].sort((a, b) => b.seconds - a.seconds || a.agent.localeCompare(b.agent, 'en', { numeric: true }));
  namesOf(all.map((one) => one.labels)).forEach((name, i) => { all[i]!.name = name; });
  return all;
}

export function summaryOf(replay: Replay, lanes: Lane[]): string {
  if (replay.fired === 0) return lanes.length === 0 ? 'It would never have been pending.' : `It would have been pending ${many(replay.alerts.length, 'time')}, and never have fired.`;
  const total = lanes.reduce((sum, one) => sum + one.seconds, 0);
  const active = lanes.filter((one) => one.fired > 0).length;
  const left = replay.left_out > 0 ? ` Only the newest ${replay.alerts.length} times are shown.` : '';
  return `It would have fired ${many(replay.fired, 'time')}, for ${many(active, 'set')} of labels, ${age(total)} in total.${left}`;
}

const WIDTHS: Record<string, string> = { full: 'every value', '10s': 'averages of 10 s', '1m': 'averages of 1 min', '1h': 'averages of 1 h' };

// How far the history reaches, and since when it has all values.
export function reachOf({ history, from }: Pick<Replay, 'history' | 'from'>): string {
  if (history.length === 0) return 'The history is empty.';
  const first = Math.min(...history.map((one) => one.from));
  const parts = history.filter((one) => one.resolution in WIDTHS).sort((a, b) => b.from - a.from)
    .filter((one, i, all) => i === 0 || one.from < all[i - 1]!.from).map((one) => `${WIDTHS[one.resolution]} since ${clock(one.from)}`);
  return `${first > from ? `The history begins at ${clock(first)}: before that, nothing can be said. It has ` : 'The history has '}${parts.join(', ')}.`;
}

// Where the history begins within the range, as a share of it.
export function unknownShare({ history, from, to }: Pick<Replay, 'history' | 'from' | 'to'>): number {
  const first = history.length === 0 ? to : Math.min(...history.map((one) => one.from));
  return Math.min(Math.max((first - from) / (to - from), 0), 1);
}
