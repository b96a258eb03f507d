import { assert, test } from 'vitest';
import text from '../../../src/metrics/human_vectors.tsv?raw';
import { axis, humanValue } from './human';

test('values are formatted as in the terminal', () => {
  const vectors = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.ok(vectors.length > 50);
  for (const line of vectors) {
    const [unit = '', name = '', value = '', text = ''] = line.split('\t');
    assert.equal(humanValue(unit, name, Number(value)), text, line);
  }
});

test('an axis uses one unit, that of its largest value', () => {
  const gigabyte = 2 ** 30;
  assert.deepEqual(axis('By', 'memory', [0, gigabyte, 2 * gigabyte, 3 * gigabyte]), ['0 GB', '1 GB', '2 GB', '3 GB']);
  assert.deepEqual(axis('By', 'memory', [0, gigabyte / 2, gigabyte]), ['0 GB', '0.5 GB', '1 GB']);
  assert.deepEqual(axis('By/s', 'rate', [0, 0.5, 1]), ['0 B/s', '0.5 B/s', '1 B/s']);
  assert.deepEqual(axis('By/s', 'rate', [0, 512 * 1024, 1024 * 1024]), ['0 MB/s', '0.5 MB/s', '1 MB/s']);
  assert.deepEqual(axis('s', 'uptime', [0, 86400, 172800]), ['0 d', '1 d', '2 d']);
  assert.deepEqual(axis('s', 'latency', [0, 0.0005, 0.001]), ['0 ms', '0.5 ms', '1 ms']);
  assert.deepEqual(axis('1', 'utilization', [0, 0.005, 0.01]), ['0 %', '0.5 %', '1 %']);
  assert.deepEqual(axis('1', 'load', [-1, 0, 1]), ['-1', '0', '1']);
});

test('NaN and infinity have no text', () => {
  for (const none of [null, undefined, NaN, Infinity]) assert.equal(humanValue('By', 'memory', none), '–');
});
