import { assert, test } from 'vitest';
import { AgentRow } from '../lib/api';
import { Choice, FleetModel, PAST } from './fleet_model';

const row = (agent: string, more: Partial<AgentRow> = {}): AgentRow => ({
  agent, host: `host-of-${agent}`, version: '1', health: 'alive', why: '', problems: [], seen: 1, tick: 1, interval: 1, revision: 1, waiting: 0,
  clock_error: 0, other_host: '', labels: {}, unusual: null, figures: [null, null, null, null, null, null], past: { end: null, step: 5, figures: [[]] }, ...more,
});
const all: Choice = { order: 'agent', down: false, only: null, text: '' };

function fleet(...rows: AgentRow[]): FleetModel {
  const model = new FleetModel();
  for (const one of rows) model.take(one);
  return model;
}
const names = (model: FleetModel, choice: Partial<Choice> = {}) => model.choose({ ...all, ...choice }).shown.map((one) => one.row.agent);

test('sorts names by their numbers, and values in both directions', () => {
  const model = fleet(row('web-10', { figures: [0.5] }), row('web-2', { figures: [0.9] }), row('web-1'));
  assert.deepEqual(names(model), ['web-1', 'web-2', 'web-10']);
  assert.deepEqual(names(model, { order: 'cpu', down: true }), ['web-2', 'web-10', 'web-1']);
  assert.deepEqual(names(model, { order: 'no such column' }), ['web-1', 'web-2', 'web-10']);
  // Also when one agent takes the place of another.
  model.agents.delete('web-2');
  model.take(row('web-3', { figures: [0.5] }));
  assert.deepEqual(names(model), ['web-1', 'web-3', 'web-10']);
  assert.deepEqual(names(model, { down: true }), ['web-10', 'web-3', 'web-1']);
  assert.deepEqual(names(model, { order: 'cpu', down: true }), ['web-3', 'web-10', 'web-1']);
});

test('filters by name, host, label and state, and counts all states', () => {
  const model = fleet(row('a', { labels: { site: 'eu-1' } }), row('b', { health: 'gone' }), row('c', { problems: ['disk full'] }));
  assert.deepEqual(names(model, { text: ' EU-1 ' }), ['a']);
  assert.deepEqual(names(model, { text: 'host-of-b' }), ['b']);
  assert.deepEqual(names(model, { only: 'gone' }), ['b']);
  assert.deepEqual(names(model, { only: 'problems' }), ['c']);
  const chosen = model.choose({ ...all, only: 'gone' });
  assert.deepEqual([...chosen.counts], [['alive', 2], ['gone', 1]]);
  assert.deepEqual(chosen.troubled.map((one) => one.agent), ['c']);
});

test('moves the short past by the steps that passed', () => {
  const model = fleet(row('a', { past: { end: 100, step: 5, figures: [[1, 2, 3]] } }));
  model.take(row('a', { past: { end: 110, step: 5, figures: [[4]] } }));
  assert.deepEqual(model.agents.get('a')!.past[0]!.slice(-5), [1, 2, 3, null, 4]);
  model.take(row('a', { past: { end: 110 + 5 * PAST * 3, step: 5, figures: [[7]] } }));
  assert.deepEqual(model.agents.get('a')!.past[0], [...new Array<null>(PAST - 1).fill(null), 7], 'an interval longer than the past leaves nothing of it');
});
