import { assert, test } from 'vitest';
import type { Batch } from './api';
import { filtered, shownValue, valuesOf } from './values';

const metric = (name: string, value: number | null, more = {}) => ({ name, unit: '1', labels: {}, value, ...more });
const batch = { frames: [
  { time: '2026-11-30T12:00:00.25Z', metrics: [metric('system.cpu.utilization', 0.5), metric('a', 1, { labels: { x: 'y' } })] },
  { time: '2026-11-30T12:00:01Z', metrics: [metric('system.cpu.utilization', null), metric('b', 7, { kind: 'counter' })] },
] } as unknown as Batch;

test('a batch is a table of series and ticks', () => {
  const { times, rows } = valuesOf(batch);
  assert.deepEqual(times, [Date.UTC(2026, 10, 30, 12) / 1000 + 0.25, Date.UTC(2026, 10, 30, 12) / 1000 + 1]);
  assert.deepEqual(rows.map((row) => [row.name, row.values, row.counter]), [['system.cpu.utilization', [0.5, null], false], ['a{x=y}', [1, undefined], false], ['b', [undefined, 7], true]]);
  assert.deepEqual(rows[0]!.values.map((value) => shownValue(rows[0]!, value)), ['50.0 %', 'NaN']);
  assert.equal(shownValue(rows[1]!, undefined), '');
  assert.deepEqual(filtered(rows, 'X=Y a').map((row) => row.name), ['a{x=y}']);
  assert.equal(filtered(rows, ' ').length, 3);
});
