import { assert, test } from 'vitest';
import type { Log } from './api';
import { growthOf, readersOf, totalsOf } from './log_store';

const partition = (n: number, begin: number, end: number, more: Partial<Log['partitions'][number]> = {}) => ({ partition: n, begin, end, records: end - begin, oldest: 100 + n, newest: 200 + n, bytes: null, mean_bytes: 10, ...more });
const log = (partitions: Log['partitions'], more: Partial<Log> = {}): Log => ({ log: 'kafka:x/t', partitions, groups: [], groups_error: '', reader: [], ...more });

test('groups are summed over partitions, after the page’s own reader', () => {
  const readers = readersOf(log([], { groups: [{ group: 'b', partition: 0, next: 3, lag: 2 }, { group: 'b', partition: 1, next: 5, lag: 4 }, { group: 'a', partition: 0, next: 5, lag: 0 }], reader: [{ partition: 0, next: 4, lag: 1 }] }));
  assert.deepEqual(readers.map((one) => [one.own, one.lag, one.partitions.length]), [[true, 1, 1], [false, 6, 2], [false, 0, 1]]);
});

test('sizes are those of the log, or estimated, or unknown', () => {
  assert.deepEqual(totalsOf(log([partition(0, 0, 5), partition(1, 2, 4)])), { records: 7, bytes: 70, exact: false, oldest: 100, newest: 201 });
  assert.deepEqual(totalsOf(log([partition(0, 1, 5, { bytes: 8192 })])), { records: 4, bytes: 8192, exact: true, oldest: 100, newest: 200 });
  assert.equal(totalsOf(log([partition(0, 0, 5), partition(1, 0, 1, { mean_bytes: null })])).bytes, null);
  assert.equal(totalsOf(log([partition(0, 0, 5), partition(1, 7, 7, { mean_bytes: null, oldest: null, newest: null })])).bytes, 50, 'an empty partition has no bytes');
});

test('growth is known from two answers of the same log', () => {
  const one = { at: 1000, log: log([partition(0, 0, 10)]) };
  assert.isNull(growthOf(null, one));
  assert.equal(growthOf(one, { at: 3000, log: log([partition(0, 5, 30)]) }), 10);
  assert.isNull(growthOf(one, { at: 3000, log: log([partition(0, 0, 3)]) }));
});
