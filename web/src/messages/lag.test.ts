import { assert, test } from 'vitest';
import type { Lag } from './api';
import { lagLines, rateLine } from './lag';

const lag: Lag = { since: 10, kept: 86_400, step: 10, times: [10, 20, 30, 40], stored: [100, 150, 20, 30], reader: [null, 1, 2, 3], groups: [{ group: 'g', lag: [5, 6, null, 7] }] };

test('each reader has a line', () => {
  assert.deepEqual(lagLines(lag).map((one) => [one.label, one.values]), [['This page’s server', [null, 1, 2, 3]], ['g', [5, 6, null, 7]]]);
  assert.equal(lagLines({ ...lag, reader: [] }).length, 1);
});

test('the rate has a gap where the log was replaced', () => {
  const { times, values } = rateLine(lag);
  assert.deepEqual(times, [20, 30, 40]);
  assert.deepEqual(values, [5, null, 1]);
  assert.deepEqual(rateLine({ ...lag, times: [], stored: [] }).values, []);
});
