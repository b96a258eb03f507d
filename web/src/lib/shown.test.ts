import { afterEach, assert, test } from 'vitest';
import { settings } from '../state/settings';
import { clock } from './format';
import { shownAxis, shownValue } from './shown';

afterEach(() => {
  settings.network.value = 'bytes';
  settings.zone.value = 'browser';
});

test('network rates are in bits if the user wants it, and other rates are not', () => {
  assert.equal(shownValue('By/s', 'system.network.io.rate', 125_000), '122 KB/s');
  settings.network.value = 'bits';
  assert.deepEqual([0, 100, 125_000, 124_940, 1.25e9].map((v) => shownValue('By/s', 'system.network.io.rate', v)), ['0 bit/s', '800 bit/s', '1.00 Mbit/s', '1.00 Mbit/s', '10.0 Gbit/s']);
  assert.deepEqual(shownAxis('By/s', 'system.network.io.rate', [0, 62_500, 125_000]), ['0 Mbit/s', '0.5 Mbit/s', '1 Mbit/s']);
  assert.equal(shownValue('By/s', 'system.disk.io.rate', 125_000), '122 KB/s');
  assert.equal(shownValue('By/s', 'system.network.io.rate', null), '–');
});

test('times are in UTC if the user wants it', () => {
  settings.zone.value = 'utc';
  assert.equal(clock(86_399), '1970-01-01 23:59:59');
});
