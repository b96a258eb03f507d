// Lines of a chart, and the columns that uPlot draws for them. Knows nothing of the DOM.
import type uPlot from 'uplot';
import type { Series } from '../lib/api';
import { align, type Points } from '../lib/lines';
import type { Mode } from './sections';

export interface Line extends Points {
  key: string;     // agent and series, as in events
  label: string;
  below: boolean;  // drawn downwards from zero
  past?: boolean;  // of the time that is compared with
  min?: (number | null)[] | undefined;
  max?: (number | null)[] | undefined;
}

export function lineOf(series: Series, label: string, key: string, below: boolean): Line {
  return { key, label, below, times: series.times, values: series.values ?? series.avg ?? [], min: series.min, max: series.max };
}

export interface Keyed { series: Series; key: string }  // the key that events have

// One series for each agent, metric and set of labels. The history has several where a series has changed its form, e.g. since
// a plugin makes fractions of its integers, or where the agent has got other labels; those with the same unit follow each
// other. Events come for the newest one.
export function joined(all: Keyed[]): Keyed[] {
  const found = new Map<string, Keyed>();
  for (const one of all) {
    const { agent, metric, unit, labels } = one.series;
    const id = JSON.stringify([agent, metric, unit, Object.entries(labels).sort()]);
    const before = found.get(id);
    found.set(id, before === undefined ? one : joinedPair(before, one));
  }
  return [...found.values()];
}

function joinedPair(one: Keyed, other: Keyed): Keyed {
  const [a, b] = [one.series, other.series];
  const times = [...a.times, ...b.times];
  const order = times.map((_, i) => i).sort((i, k) => times[i]! - times[k]!);
  const both: Series = { ...b, times: order.map((i) => times[i]!) };
  for (const name of ['values', 'avg', 'min', 'max', 'count'] as const) {
    const [x, y] = [a[name], b[name]];
    if (x === undefined || y === undefined) continue;
    const values = [...x, ...y];
    both[name] = order.map((i) => values[i]!);
  }
  return { series: both, key: (a.times[a.times.length - 1] ?? 0) > (b.times[b.times.length - 1] ?? 0) ? one.key : other.key };
}

type Column = (number | null | undefined)[];

// What is drawn, and the values that the legend shows for it. Stacked lines are drawn on top of each other, the last one
// lowest.
export function columnsOf(lines: Line[], width: number, mode: Mode): { drawn: uPlot.AlignedData; values: Column[] } {
  const aligned = align(lines, width) as unknown as [number[], ...Column[]];
  const values = aligned.slice(1) as Column[];
  if (mode === 'lines') return { drawn: aligned as unknown as uPlot.AlignedData, values };
  let drawn: Column[];
  if (mode === 'mirror') {
    drawn = values.map((column, i) => (lines[i]!.below ? column.map((v) => (v === null || v === undefined ? v : -v)) : column));
  } else {
    drawn = new Array<Column>(values.length);
    let under: Column = [];
    for (let i = values.length - 1; i >= 0; --i) {
      const below = under;
      under = values[i]!.map((v, k) => (v === null || v === undefined ? v : v + (below[k] ?? 0)));
      drawn[i] = under;
    }
  }
  return { drawn: [aligned[0], ...drawn] as unknown as uPlot.AlignedData, values };
}

export function hasTime(times: number[], wanted: number): boolean {
  let at = times.length - 1;
  while (at >= 0 && times[at]! > wanted + 1e-5) --at;
  return at >= 0 && times[at]! > wanted - 1e-5;
}

// Appends the ticks that arrived while the range was loading: only the previous line has them.
export function appendNewer(line: Line, before: Line | undefined): Line {
  if (before === undefined) return line;
  const last = line.times[line.times.length - 1] ?? 0;
  let at = before.times.length;
  while (at > 0 && before.times[at - 1]! > last + 1e-5) --at;
  line.times.push(...before.times.slice(at));
  line.values.push(...before.values.slice(at));
  return line;
}
