import { assert, test } from 'vitest';
import { contextOf } from './complete';

test('what stands before the cursor tells what can follow', () => {
  assert.deepEqual(contextOf('sum(sys'), { kind: 'name', typed: 'sys' });
  assert.deepEqual(contextOf('sum('), { kind: 'name', typed: '' });
  assert.deepEqual(contextOf('up{'), { kind: 'label', metric: 'up', typed: '' });
  assert.deepEqual(contextOf('up{agent="a", ho'), { kind: 'label', metric: 'up', typed: 'ho' });
  assert.deepEqual(contextOf('up{agent=~"we'), { kind: 'value', label: 'agent', metric: 'up', typed: 'we' });
  assert.deepEqual(contextOf('sum by (agent, ho'), { kind: 'label', metric: '', typed: 'ho' });
  assert.equal(contextOf('up{agent="a"'), null);
  assert.equal(contextOf('rate(up[5m])'), null);
});
