import { assert, test } from 'vitest';
import { momentOf } from './times';

const NOW = Date.UTC(2026, 10, 30, 13, 30, 0) / 1000;
const at = (text: string) => Date.parse(text) / 1000;

test('a time of day is the latest one', () => {
  assert.deepEqual(momentOf('12:00:00', NOW, true), { from: at('2026-11-30T12:00:00Z'), width: 1 });
  assert.deepEqual(momentOf(' 12:00 ', NOW, true), { from: at('2026-11-30T12:00:00Z'), width: 60 });
  assert.deepEqual(momentOf('14:00:00', NOW, true), { from: at('2026-11-29T14:00:00Z'), width: 1 }, 'yesterday');
  assert.deepEqual(momentOf('13:30:02', NOW, true), { from: at('2026-11-30T13:30:02Z'), width: 1 }, 'the clocks may differ a little');
  assert.closeTo(momentOf('12:00:00.25', NOW, true)!.from, at('2026-11-30T12:00:00.25Z'), 1e-6);
  assert.closeTo(momentOf('12:00:00.25', NOW, true)!.width, 0.01, 1e-9);
});

test('dates, zones, ages and Unix seconds are understood', () => {
  assert.deepEqual(momentOf('2026-11-22 12:00', NOW, true), { from: at('2026-11-22T12:00:00Z'), width: 60 });
  assert.deepEqual(momentOf('2026-11-22T12:00:05Z', NOW, false), { from: at('2026-11-22T12:00:05Z'), width: 1 });
  assert.deepEqual(momentOf('2026-11-22T12:00:05+02:00', NOW, true), { from: at('2026-11-22T10:00:05Z'), width: 1 });
  assert.deepEqual(momentOf('12:00:00 +0200', NOW, true), { from: at('2026-11-30T10:00:00Z'), width: 1 });
  assert.deepEqual(momentOf('2026-11-22', NOW, true), { from: at('2026-11-22T00:00:00Z'), width: 86_400 });
  assert.deepEqual(momentOf('-10m', NOW, true), { from: NOW - 600, width: 1 });
  assert.deepEqual(momentOf('-1.5h', NOW, true), { from: NOW - 5400, width: 1 });
  assert.deepEqual(momentOf('1700000000', NOW, true), { from: 1_700_000_000, width: 1 });
  const local = new Date(2026, 10, 22, 12, 0, 0).getTime() / 1000;
  assert.deepEqual(momentOf('2026-11-22 12:00:00', NOW, false), { from: local, width: 1 });
});

test('anything else is no time', () => {
  for (const text of ['', 'noon', '25:00', '12:60', '12:00:61', '12', '2026-13-01', '2026-11-22 25:00', '-m', '12:00x']) assert.isNull(momentOf(text, NOW, true), text);
});
