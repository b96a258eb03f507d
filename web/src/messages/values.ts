// The values of a batch as a table: a row for each series, a column for each tick. Knows nothing of the DOM.
import { humanValue } from '../lib/human';
import { seriesName } from '../lib/format';
import type { Batch } from './api';

export interface ValueRow { name: string; unit: string; counter: boolean; values: (number | null | undefined)[] }  // undefined: not in this tick
export interface Values { times: number[]; rows: ValueRow[] }

export function valuesOf(batch: Batch): Values {
  const rows = new Map<string, ValueRow>();
  batch.frames.forEach((frame, i) => {
    for (const { name, labels, unit, kind, value } of frame.metrics) {
      const key = `${seriesName(name, labels)} ${unit}`;
      const row = rows.get(key) ?? { name: seriesName(name, labels), unit, counter: kind === 'counter', values: new Array<undefined>(batch.frames.length).fill(undefined) };
      row.values[i] = value;
      rows.set(key, row);
    }
  });
  return { times: batch.frames.map((frame) => Date.parse(frame.time) / 1000), rows: [...rows.values()] };
}

export function shownValue(row: ValueRow, value: number | null | undefined): string {
  if (value === undefined) return '';
  if (value === null) return 'NaN';
  return humanValue(row.unit, row.name.replace(/\{.*/, ''), value);
}

export function filtered(rows: ValueRow[], text: string): ValueRow[] {
  const words = text.toLowerCase().split(/\s+/).filter((one) => one !== '');
  return words.length === 0 ? rows : rows.filter((row) => words.every((word) => row.name.toLowerCase().includes(word)));
}
