import { assert, test } from 'vitest';
import { choiceOf, parametersOf } from './choice';
import { heatOf, rowHeight, shareOf } from './heat';

const row = (metric: Record<string, string>, values: [number, string][]) => ({ metric, values });

test('each series is a row in natural order, with a column for each step', () => {
  const heat = heatOf([row({ agent: 'load-10' }, [[100, '4'], [110, 'NaN'], [120, '2']]), row({ agent: 'load-2' }, [[120, '8']])], 100, 120, 10);
  assert.deepEqual(heat.rows, [{ name: '{agent="load-2"}', values: [null, null, 8] }, { name: '{agent="load-10"}', values: [4, null, 2] }]);
  assert.deepEqual([heat.least, heat.most, heat.buckets, heat.columns, heat.cut], [2, 8, false, 3, 0]);
  assert.deepEqual([2, 5, 8].map((v) => shareOf(heat, v)), [0, 0.5, 1]);
  assert.equal(shareOf({ least: 3, most: 3 }, 3), 0.5);
});

test('the buckets of a histogram hold what is between their bounds, the largest on top', () => {
  const heat = heatOf(['+Inf', '0.5', '10'].flatMap((le, i) => ['a', 'b'].map((agent) => row({ le, agent }, [[0, String([9, 2, 5][i])]]))), 0, 0, 1);
  assert.isTrue(heat.buckets);
  assert.deepEqual(heat.rows, [{ name: 'over 10', values: [8] }, { name: '0.5 to 10', values: [6] }, { name: 'up to 0.5', values: [4] }]);
  assert.deepEqual([heat.least, heat.most], [0, 8]);
});

test('many series are cut, and rows get lower', () => {
  assert.equal(heatOf(Array.from({ length: 2005 }, (_, i) => row({ i: String(i) }, [])), 0, 10, 10).cut, 5);
  assert.deepEqual([1, 40, 1000].map(rowHeight), [22, 10, 3]);
});

test('the address has every choice', () => {
  for (const text of ['', 'q=up', 'q=up&view=heat&span=300', 'q=up&from=5.500&to=7.000']) assert.equal(new URLSearchParams(parametersOf(choiceOf(new URLSearchParams(text)))).toString(), text);
  assert.deepEqual(choiceOf(new URLSearchParams('view=x&span=y&from=9&to=3')), { text: '', view: 'graph', span: 3600, range: null });
});
