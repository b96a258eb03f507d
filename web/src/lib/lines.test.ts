import { assert, test } from 'vitest';
import { align, alone, gaps } from './lines';

const ticks = (from: number, to: number, interval: number) => Array.from({ length: Math.ceil((to - from) / interval) }, (_, i) => from + i * interval);

test('joins ticks of any interval', () => {
  for (const interval of [0.01, 0.1, 1, 5, 6, 10, 15, 60]) assert.deepEqual(gaps(ticks(0, interval * 50, interval), 0), []);
});

test('joins late ticks, but not across missed ones', () => {
  assert.deepEqual(gaps([0, 10, 20, 36, 40, 50], 0), []);
  assert.deepEqual(gaps([0, 10, 20, 40, 50, 60], 0), [3]);
  assert.deepEqual(gaps([0, 6, 18, 24, 36, 42, 48], 0), [2, 4]);
  assert.deepEqual(gaps([0, 10], 0), [], 'of two nobody knows the interval');
});

test('a changed interval leaves no gap', () => {
  assert.deepEqual(gaps([...ticks(0, 10, 1), ...ticks(10, 100, 15), ...ticks(103, 200, 10)], 0), []);
});

test('joins averages of values that are rarer than the averages', () => {
  assert.deepEqual(gaps([0, 10, 30, 40, 60, 70, 90], 10), []);
  assert.deepEqual(gaps([0, 10, 20, 60, 70], 10), [3]);
});

test('each line has its gaps, also where all lines share one', () => {
  const data = align([{ times: [0, 1, 2, 9, 10], values: [1, 2, 3, 4, 5] }, { times: [0, 1, 2, 9, 10], values: [5, 4, 3, 2, 1] }, { times: [0, 5, 10], values: [7, 8, 9] }], 0);
  assert.deepEqual(data[0], [0, 1, 2, 5, 5.5, 9, 10]);
  assert.deepEqual(data[1], [1, 2, 3, undefined, null, 4, 5]);
  assert.deepEqual(data[2], [5, 4, 3, undefined, null, 2, 1]);
  assert.deepEqual(data[3], [7, undefined, undefined, 8, undefined, undefined, 9]);
});

test('reports a point between two gaps', () => {
  assert.deepEqual(alone([1, undefined, 2, null, undefined, 3, undefined, null, 4, 5]), [5]);
  assert.deepEqual(alone([undefined, 1]), [1]);
  assert.deepEqual(alone([]), []);
});
