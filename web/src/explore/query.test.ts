import { assert, test } from 'vitest';
import { linesOf, legendsOf, nameOf, placeOf, samplesOf, stepOf } from './query';

test('the place of a fault is read from the message', () => {
  assert.deepEqual(placeOf('invalid parameter "query": 1:40: parse error: no'), { line: 1, column: 40 });
  assert.deepEqual(placeOf('2:7: parse error'), { line: 2, column: 7 });
  assert.equal(placeOf('query timed out'), null);
});

test('series are named as Prometheus does, and legends leave out what all share', () => {
  assert.equal(nameOf({ __name__: 'up', agent: 'a"b' }), 'up{agent="a\\"b"}');
  assert.equal(nameOf({}), '{}');
  assert.deepEqual(legendsOf([{ __name__: 'm', agent: 'a', host: 'h' }, { __name__: 'm', agent: 'b', host: 'h' }]), ['{agent="a"}', '{agent="b"}']);
  assert.deepEqual(legendsOf([{ __name__: 'm', agent: 'a' }]), ['m{agent="a"}']);
});

test('answers of all types become samples and lines', () => {
  assert.deepEqual(samplesOf({ resultType: 'scalar', result: [1, '4'], warnings: [] }), [{ metric: {}, value: 4, text: '4' }]);
  assert.deepEqual(samplesOf({ resultType: 'vector', result: [{ metric: { a: 'b' }, value: [1, '0.5'] }], warnings: [] }), [{ metric: { a: 'b' }, value: 0.5, text: '0.5' }]);
  assert.deepEqual(linesOf([{ metric: { a: 'b' }, values: [[1, '1'], [2, 'NaN']] }])[0]!.values, [1, null]);
});

test('steps are round, and give a few hundred points', () => {
  assert.deepEqual([300, 900, 3600, 86_400, 2_592_000].map(stepOf), [1, 5, 10, 300, 7200]);
});
