import { assert, test } from 'vitest';
import type { AgentRow } from '../lib/api';
import { choiceOf, parametersOf, viewOf } from './choice';
import type { Known } from '../state/fleet_model';
import { rangeAround } from './changes';
import { cellAt, centre, gridOf } from './hexes';
import { figureOf, groupsOf, totalOf } from './totals';

const known = (agent: string, figures: (number | null)[], more: Partial<AgentRow> = {}): Known => ({
  row: { agent, host: 'h', version: '1', health: 'alive', why: '', problems: [], seen: 1, tick: 1, interval: 1, revision: 1, waiting: 0, clock_error: 0, other_host: '', labels: {}, unusual: null, past: { end: 5, step: 5, figures: [] }, ...more, figures },
  past: figures.map((v) => [null, v]), end: 5,
});

test('shares are averaged, rates are added, and what is gone does not count', () => {
  const agents = [known('a', [0.2, 0.5, 10, 20, 1, 2]), known('b', [0.6, null, 1, null, null, 4]), known('c', [1, 1, 1, 1, 1, 1], { health: 'gone' })];
  assert.closeTo(totalOf(agents, 'cpu', true).value!, 0.4, 1e-12);
  assert.equal(totalOf(agents, 'memory', true).value, 0.5);
  assert.equal(totalOf(agents, 'disk', false).value, 31);
  assert.deepEqual(totalOf(agents, 'network', false).past, [null, 7]);
  assert.equal(totalOf([agents[2]!], 'cpu', true).value, null);
  assert.equal(figureOf(agents[1]!, 'memory'), null);
  assert.deepEqual(totalOf(agents, 'cpu', true).past, [null, 0.4]);
  assert.deepEqual((['cpu', 'memory', 'disk', 'network'] as const).map((one) => totalOf(agents, one, false).most?.agent), ['b', 'a', 'a', 'b'], 'the busiest');
  assert.equal(totalOf([agents[2]!], 'cpu', true).most, null);
  agents[0]!.past[0] = [1, 1, ...new Array<number>(11).fill(0.1), 0.4];
  assert.closeTo(totalOf(agents.slice(0, 1), 'cpu', true).most!.lately, 0.125, 1e-12, 'of the last minute');
});

test('groups are in order, and agents without the label come last', () => {
  const agents = [known('a', [], { labels: { rack: 'r10' } }), known('b', []), known('c', [], { labels: { rack: 'r2' } })];
  assert.deepEqual(groupsOf(agents, 'rack').map(([name, of]) => [name, of.map((one) => one.row.agent).join()]), [['r2', 'c'], ['r10', 'a'], ['', 'b']]);
  assert.deepEqual(groupsOf(agents, '').length, 1);
});

test('the address holds the choice', () => {
  const text = 'view=map&sort=cpu&order=down&state=late&filter=web&group=rack&by=memory';
  assert.equal(new URLSearchParams(parametersOf(choiceOf(new URLSearchParams(text)))).toString(), text);
  assert.deepEqual(parametersOf(choiceOf(new URLSearchParams('view=x&state=y'))), {});
  assert.deepEqual([3, 36, 37, 1000].map((n) => viewOf(choiceOf(new URLSearchParams()), n)), ['cards', 'cards', 'table', 'table']);
});

test('every cell of the map is found at its centre, and cells fit its width', () => {
  for (const [many, width, height] of [[1, 300, 200], [7, 390, 600], [100, 1200, 500], [1000, 1200, 600]] as const) {
    const grid = gridOf(many, width, height);
    for (let i = 0; i < many; ++i) {
      const [x, y] = centre(grid, i);
      assert.equal(cellAt(grid, x, y), i);
      assert.isAtMost(x + (Math.sqrt(3) / 2) * grid.radius, width + 1e-9);
      assert.isAtMost(y + grid.radius, grid.height + 1e-9);
    }
    assert.equal(cellAt(grid, -50, -50), -1);
  }
});

test('a change is looked at with as much time before it as after it', () => {
  assert.deepEqual(rangeAround(1000, 1030), { span: '300' }, 'live while the time after it is not over');
  assert.deepEqual(rangeAround(1000, 1400), { span: '900' });
  assert.deepEqual(rangeAround(1000.4, 1901), { from: '100', to: '1900' });
});
