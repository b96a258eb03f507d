import { assert, test } from 'vitest';
import { shapeOf } from './spark';

test('a sparkline has a gap for each missing value, and a lonely value is a dot', () => {
  assert.deepEqual(shapeOf([0, 1, null, 0.5, null, 2, 1], 1), {
    width: 6,
    line: 'M0 18.5L1 1.5M3 10.0h0M5 1.5L6 1.5',  // what is above the upper edge is drawn there
    area: 'M0 18.5L1 1.5V20H0ZM5 1.5L6 1.5V20H5Z',
  });
  assert.equal(shapeOf([1, 4], null).line, 'M0 14.3L1 1.5', 'up to the largest value');
  assert.equal(shapeOf([0, 0], null).line, 'M0 18.5L1 18.5', 'nothing but zeroes is at the bottom');
  assert.deepEqual(shapeOf([null, null], null), { width: 1, line: '', area: '' });
  assert.deepEqual(shapeOf([], 1), { width: 1, line: '', area: '' });
});
