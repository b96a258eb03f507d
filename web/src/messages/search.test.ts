import { assert, test } from 'vitest';
import { parametersOf, planOf, sameList, searchOf } from './search';

const NOW = Date.UTC(2026, 10, 30, 13, 0, 0) / 1000;
const plan = (query: string, partitions = 4) => planOf(searchOf(new URLSearchParams(query)), NOW, true, partitions);

test('an address gives the same address back', () => {
  const text = 'agent=web-1&at=12%3A00%3A00&partition=2&kind=corrupt&tail=1&open=2%3A17&view=log';
  assert.equal(new URLSearchParams(parametersOf(searchOf(new URLSearchParams(text)))).toString(), text);
  assert.deepEqual(parametersOf(searchOf(new URLSearchParams('tail=0&nonsense=1'))), {});
  const search = searchOf(new URLSearchParams(text));
  assert.isTrue(sameList(search, { ...search, open: '1:1', view: 'messages' }));
  assert.isFalse(sameList(search, { ...search, agent: 'web-2' }));
});

test('fields become filters', () => {
  assert.deepEqual(plan('agent=web-*&metric=system.cpu&kind=corrupt&partition=3'), { mode: 'newest', filters: { agent: 'web-*', metric: 'system.cpu', kind: 'corrupt', partition: '3' } });
  assert.deepEqual(plan('since=-10m'), { mode: 'newest', filters: { since: `${NOW - 600}.000000` } });
  assert.deepEqual(plan('agent=a&at=12:00:00'), { mode: 'around', filters: { agent: 'a' }, moment: { from: NOW - 3600, width: 1 } });
  assert.equal(plan('agent=a&at=12:00:00&late=1').mode, 'late');
});

test('an offset needs a partition, unless there is only one', () => {
  assert.deepEqual(plan('offset=17', 1), { mode: 'offset', filters: { partition: 0 }, partition: 0, offset: 17 });
  assert.deepEqual(plan('offset=17&partition=2'), { mode: 'offset', filters: { partition: 2 }, partition: 2, offset: 17 });
  assert.deepEqual(plan('offset=17'), { mode: 'fault', field: 'offset', text: 'Choose the partition of the offset' });
});

test('what cannot be understood names its field', () => {
  for (const [query, field] of [['at=noon', 'at'], ['since=x', 'since'], ['until=25:00', 'until'], ['offset=1e3&partition=0', 'offset'], ['partition=all', 'partition']]) {
    const found = plan(query!);
    assert.equal(found.mode === 'fault' ? found.field : found.mode, field);
  }
});
