import assert from 'node:assert';
import { test } from 'node:test';
import { align, alone, gaps } from './lines';

const ticks = (from: number, to: number, interval: number) => Array.from({ length: Math.ceil((to - from) / interval) }, (_, i) => from + i * interval);

test('ticks of any interval are joined', () => {
  for (const interval of [0.01, 0.1, 1, 5, 6, 10, 15, 60]) assert.deepEqual(gaps(ticks(0, interval * 50, interval), 0), []);
});

test('late ticks are joined, missed ones are not', () => {
  assert.deepEqual(gaps([0, 10, 20, 36, 40, 50], 0), []);
  assert.deepEqual(gaps([0, 10, 20, 40, 50, 60], 0), [3]);
  assert.deepEqual(gaps([0, 6, 18, 24, 36, 42, 48], 0), [2, 4]);
  assert.deepEqual(gaps([0, 10], 0), [], 'of two nobody knows the interval');
});

test('an interval that changes leaves no gap', () => {
  assert.deepEqual(gaps([...ticks(0, 10, 1), ...ticks(10, 100, 15), ...ticks(103, 200, 10)], 0), []);
});

test('averages of what comes less often than they are wide are joined', () => {
  assert.deepEqual(gaps([0, 10, 30, 40, 60, 70, 90], 10), []);
  assert.deepEqual(gaps([0, 10, 20, 60, 70], 10), [3]);
});

test('each line has its gaps, also where all have the same', () => {
  const data = align([{ times: [0, 1, 2, 9, 10], values: [1, 2, 3, 4, 5] }, { times: [0, 1, 2, 9, 10], values: [5, 4, 3, 2, 1] }, { times: [0, 5, 10], values: [7, 8, 9] }], 0);
  assert.deepEqual(data[0], [0, 1, 2, 5, 5.5, 9, 10]);
  assert.deepEqual(data[1], [1, 2, 3, undefined, null, 4, 5]);
  assert.deepEqual(data[2], [5, 4, 3, undefined, null, 2, 1]);
  assert.deepEqual(data[3], [7, undefined, undefined, 8, undefined, undefined, 9]);
});

test('a point between two gaps is told', () => {
  assert.deepEqual(alone([1, undefined, 2, null, undefined, 3, undefined, null, 4, 5]), [5]);
  assert.deepEqual(alone([undefined, 1]), [1]);
  assert.deepEqual(alone([]), []);
});
