// Lines for a chart: on one time axis, joined except where something was missed.
import type uPlot from 'uplot';

export type Values = (number | null)[];
export interface Points { times: number[]; values: Values }

// A value is missed where the distance to the next one is longer than that before it and that after it: each series by its
// own interval, also when that changes. Ticks may be late by most of an interval, and averages (of `width` seconds; 0 for
// ticks) stand anywhere in the time that they cover. src/views/fleet/past.cc goes by the same rule.
const LATE = 7 / 4;
const SHORTEST = 0.05;

// Of each two values with a gap between them the second.
export function gaps(times: number[], width: number): number[] {
  const found: number[] = [];
  const distance = (i: number) => (i < 1 || i >= times.length ? 0 : times[i]! - times[i - 1]!);
  for (let i = 1; i < times.length; ++i) {
    // What comes after the newest is not known yet.
    const usual = Math.max(distance(i - 1), distance(i + 1 < times.length ? i + 1 : i - 2));
    if (usual > 0 && distance(i) - width > Math.max(usual, SHORTEST) * LATE) found.push(i);
  }
  return found;
}

// In uPlot's form: undefined is no point of that line, null is a gap.
export function align(lines: Points[], width: number): uPlot.AlignedData {
  const all = new Set<number>();
  const breaks = lines.map((line) => {
    for (const t of line.times) all.add(t);
    // A gap has a place of its own: nothing else may be between the two.
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

// Points with a gap, or nothing, on both sides: no line leads to them.
export function alone(column: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  let one = -1;  // since the last gap, if there was just one
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
