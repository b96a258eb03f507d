// A heat map: a row for each series, a column for each step of time. Knows nothing of the DOM.
import { legendsOf, type Row } from './query';

export interface Heat {
  rows: { name: string; values: (number | null)[] }[];  // the first is on top
  columns: number;
  least: number;
  most: number;
  buckets: boolean;  // the rows are the buckets of a histogram, and the values what is in each of them
  cut: number;       // rows that are left out
}

const MOST_ROWS = 2000;
const natural = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
const boundOf = (le: string) => (le === '+Inf' ? Infinity : Number(le));

function columnsOf(row: Row, from: number, step: number, columns: number): (number | null)[] {
  const values = new Array<number | null>(columns).fill(null);
  for (const [at, text] of row.values) {
    const i = Math.round((at - from) / step);
    const v = Number(text);
    if (i >= 0 && i < columns && Number.isFinite(v)) values[i] = v;
  }
  return values;
}

// Counts up to each bound become counts between two bounds. Histograms with other labels are added up.
function bucketsOf(series: { le: string; values: (number | null)[] }[]): Heat['rows'] {
  const sums = new Map<string, (number | null)[]>();
  for (const { le, values } of series) {
    const sum = sums.get(le);
    sums.set(le, sum === undefined ? [...values] : sum.map((v, i) => (v === null ? values[i]! : v + (values[i] ?? 0))));
  }
  const bounds = [...sums.keys()].sort((a, b) => boundOf(a) - boundOf(b));
  return bounds.map((le, k) => {
    const below = k === 0 ? null : sums.get(bounds[k - 1]!)!;
    const name = k === 0 ? `up to ${le}` : le === '+Inf' ? `over ${bounds[k - 1]}` : `${bounds[k - 1]} to ${le}`;
    return { name, values: sums.get(le)!.map((v, i) => (v === null ? null : Math.max(v - (below?.[i] ?? 0), 0))) };
  }).reverse();
}

export function heatOf(given: Row[], from: number, to: number, step: number): Heat {
  const columns = Math.max(Math.floor((to - from) / step + 1e-6) + 1, 1);
  const buckets = given.length > 1 && given.every(({ metric }) => metric['le'] !== undefined && !Number.isNaN(boundOf(metric['le'])));
  const names = legendsOf(given.map((one) => one.metric));
  const all = buckets
    ? bucketsOf(given.map((row) => ({ le: row.metric['le']!, values: columnsOf(row, from, step, columns) })))
    : given.map((row, i) => ({ name: names[i]!, values: columnsOf(row, from, step, columns) })).sort((a, b) => natural(a.name, b.name));
  const rows = all.slice(0, MOST_ROWS);
  let [least, most] = [Infinity, -Infinity];
  for (const { values } of rows) {
    for (const v of values) {
      if (v === null) continue;
      least = Math.min(least, v);
      most = Math.max(most, v);
    }
  }
  if (buckets) least = 0;
  return { rows, columns, least: least === Infinity ? 0 : least, most: most === -Infinity ? 0 : most, buckets, cut: all.length - rows.length };
}

// Where a value is on the scale, from 0 to 1.
export function shareOf({ least, most }: Pick<Heat, 'least' | 'most'>, v: number): number {
  return most > least ? (v - least) / (most - least) : 0.5;
}

// The height of a row, so that few rows are easy to hit and many fit.
export function rowHeight(rows: number): number {
  return Math.min(Math.max(Math.floor(420 / Math.max(rows, 1)), 3), 22);
}
