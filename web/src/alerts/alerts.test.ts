import { assert, test } from 'vitest';
import { lanesOf } from './lanes';
import { matchersOf } from './matchers';
import { conditionOf } from './threshold';

test('the compared part of an expression and its threshold are found', () => {
  assert.deepEqual(conditionOf('avg_over_time(system_cpu_utilization_ratio{cpu_mode=""}[10m]) > 0.95'), { left: 'avg_over_time(system_cpu_utilization_ratio{cpu_mode=""}[10m])', operator: '>', threshold: 0.95 });
  assert.deepEqual(conditionOf('a < 14 * 86400 and b < 0.2 * c'), { left: 'a', operator: '<', threshold: 14 * 86400 });
  assert.deepEqual(conditionOf('x > y and z{a=">1"} >= -2e3'), { left: 'z{a=">1"}', operator: '>=', threshold: -2000 });
  assert.deepEqual(conditionOf('agent_state(".*", "gone") == 1')?.threshold, 1);
  assert.equal(conditionOf('a > b'), null);
  assert.equal(conditionOf('abs(x > 5)'), null, 'a comparison inside of a function is not the condition');
});

test('a silence matches the labels of an alert exactly', () => {
  assert.deepEqual(matchersOf({ alertname: 'Busy', agent: 'a"b\\c' }), ['agent="a\\"b\\\\c"', 'alertname="Busy"']);
});

test('episodes of one alert share a lane, and lanes are cut to the range', () => {
  const one = (name: string, agent: string, fired: number, ended: number | null) => ({ name, agent, fired, ended, severity: 'warning' });
  const lanes = lanesOf([one('A', 'x', 10, 20), one('A', 'x', 90, null), one('B', 'x', 0, 5), one('A', 'y', 60, 70)], 15, 100);
  assert.deepEqual(lanes.map((lane) => [lane.name, lane.agent, lane.parts.map((part) => [part.from, part.to])]), [['A', 'x', [[15, 20], [90, 100]]], ['A', 'y', [[60, 70]]]]);
});
