import { assert, test } from 'vitest';
import { contextOf, namesOf } from './complete';

test('what stands before the cursor tells what can follow', () => {
  assert.deepEqual(contextOf('sum(sys'), { kind: 'name', typed: 'sys' });
  assert.deepEqual(contextOf('sum('), { kind: 'name', typed: '' });
  assert.deepEqual(contextOf('up{'), { kind: 'label', metric: 'up', typed: '' });
  assert.deepEqual(contextOf('up{agent="a", ho'), { kind: 'label', metric: 'up', typed: 'ho' });
  assert.deepEqual(contextOf('up{agent=~"we'), { kind: 'value', label: 'agent', metric: 'up', typed: 'we' });
  assert.deepEqual(contextOf('sum by (agent, ho'), { kind: 'label', metric: '', typed: 'ho' });
  assert.equal(contextOf('up{agent="a"'), null);
  assert.equal(contextOf('rate(up[5m])'), null);
  assert.deepEqual(contextOf('sum(plugin_failures("we'), { kind: 'agent', name: 'plugin_failures', typed: 'we' });
  assert.equal(contextOf('plugin_failures("web")'), null);
});

test('functions say what they take, and metrics come first', () => {
  const words = { functions: [{ name: 'pi', signature: '()', of_agents: false }, { name: 'rate', signature: '(range vector)', of_agents: false }], aggregations: [{ name: 'topk', has_parameter: true }, { name: 'sum', has_parameter: false }] };
  assert.deepEqual(namesOf(['up'], words), [
    { label: 'up', detail: 'metric' }, { label: 'pi', detail: 'function ()', apply: 'pi()' }, { label: 'rate', detail: 'function (range vector)', apply: 'rate(' },
    { label: 'topk', detail: 'aggregation (parameter, instant vector)' }, { label: 'sum', detail: 'aggregation' }]);
});
