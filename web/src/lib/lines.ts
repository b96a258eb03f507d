// Lines for a chart, on one time axis, with gaps where values are missing.
import type uPlot from 'uplot';

export type Values = (number | null)[];
export interface Points { times: number[]; values: Values }

// There is a gap where the distance between two values is clearly larger than both the distance before and the one
// after. This follows the interval of each series, even when it changes. Ticks may be late by most of an interval.
// Averages (over `width` seconds; 0 for ticks) lie anywhere within the time that they cover. src/views/fleet/past.cc
// uses the same rule.
const LATE = 7 / 4;
const SHORTEST = 0.05;

// The indexes of values that follow a gap.
export function gaps(times: number[], width: number): number[] {
  const found: number[] = [];
  const distance = (i: number) => (i < 1 || i >= times.length ? 0 : times[i]! - times[i - 1]!);
  for (let i = 1; i < times.length; ++i) {
    // The distance after the newest value is not known yet.
    const usual = Math.max(distance(i - 1), distance(i + 1 < times.length ? i + 1 : i - 2));
    if (usual > 0 && distance(i) - width > Math.max(usual, SHORTEST) * LATE) found.push(i);
  }
  return found;
}

// uPlot's form: undefined means no point on that line, null means a gap.
export function align(lines: Points[], width: number): uPlot.AlignedData {
  const all = new Set<number>();
  const breaks = lines.map((line) => {
    for (const t of line.times) all.add(t);
    // A gap gets its own time, so that no other line's point hides it.
    const found = gaps(line.times, width).map((i) => (line.times[i - 1]! + line.times[i]!) / 2);
    for (const t of found) all.add(t);
    return found;
  });
  const times = [...all].sort((a, b) => a - b);
  const places = new Map(times.map((t, i) => [t, i]));
  const columns = lines.map((line, k) => {
    const column = new Array<number | null | undefined>(times.length).fill(undefined);
    for (const t of breaks[k]!) column[places.get(t)!] = null;
    line.times.forEach((t, i) => { column[places.get(t)!] = line.values[i] ?? null; });
    return column;
  });
  return [times, ...columns] as uPlot.AlignedData;
}

// Isolated points, with a gap on both sides. They are drawn as dots, because no line leads to them.
export function alone(column: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  let one = -1;  // index of the only point since the last gap; -1: none, or several
  let many = false;
  const end = () => {
    if (one >= 0 && !many) found.push(one);
    one = -1;
    many = false;
  };
  for (let i = 0; i < column.length; ++i) {
    const v = column[i];
    if (v === null) end();
    else if (v !== undefined && one >= 0) many = true;
    else if (v !== undefined) one = i;
  }
  end();
  return found;
}
