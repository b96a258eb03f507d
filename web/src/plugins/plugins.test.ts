import { describe, expect, it } from 'vitest';
import { instancesOf, matching, pluginsOf, refusedName, type Reports } from './fleet_plugins';
import { linesOf } from './past';

const report = (agent: string, plugin: Record<string, unknown>) => ({ agent, host: `${agent}.example`, agent_version: '0.2.0', plugin });
const reports: Reports = {
  known: ['filter'],
  plugins: [
    report('web-1', { name: 'filter', kind: 'built-in', state: 'running', ticks: 9, p50: 1e-6, p99: 4e-6, points_dropped: 100, dropped: 1, failed: 0, error: '' }),
    report('web-1', { name: 'tag', kind: 'native', version: '0.1.0', state: 'running', shadow: true, ticks: 9, p50: 2e-6, p99: 5e-6 }),
    report('web-2', { name: 'tag', kind: 'native', version: '0.2.0', state: 'quarantined', ticks: 5, p50: 3e-6, p99: 9e-3, failed: 5, error: 'it called openat', error_time: '2026-11-30T14:03:05.000Z' }),
    report('web-2', { name: 'tag', kind: 'native', version: '0.2.0', state: 'running', ticks: 5 }),
  ],
  refused: [{ agent: 'web-3', host: 'h', reason: '/plugins/0: plugin tag: no good' }, { agent: 'web-4', host: 'h', reason: 'plugins must be a list' }],
};

describe('plugins over the fleet', () => {
  it('has states, versions, times, drops and failures of each', () => {
    const [tag, second, filter] = [pluginsOf(reports).find((one) => one.name === 'tag')!, pluginsOf(reports).find((one) => one.name === 'tag#2')!, pluginsOf(reports).find((one) => one.name === 'filter')!];
    expect(tag.states).toEqual([['shadow', 1], ['quarantined', 1], ['refused', 1]]);
    expect(tag.versions).toEqual([['0.1.0', ['web-1']], ['0.2.0', ['web-2']]]);
    expect([tag.p99, tag.slowest, tag.failed]).toEqual([9e-3, 'web-2', 5]);
    expect(tag.failures).toEqual([{ agent: 'web-2', host: 'web-2.example', reason: 'it called openat', at: Date.parse('2026-11-30T14:03:05Z') / 1000, failed: 5 }]);
    expect(tag.places).toBe('1 to 2');
    expect(second.places).toBe('2 of 2');
    expect(filter.versions).toEqual([['agent 0.2.0', ['web-1']]]);
    expect([filter.points, filter.ticks, filter.states]).toEqual([100, 1, [['active', 1]]]);
    expect(pluginsOf(reports)[0]!.name, 'what is in trouble comes first').toBe('tag');
  });

  it('survives reports of any form', () => {
    const odd = { ...reports, plugins: [report('a', {}), report('a', { name: 7, state: [], p99: 'fast', error: { x: 1 } })], refused: [] };
    expect(instancesOf(odd.plugins).map((one) => [one.name, one.state, one.p99])).toEqual([['(without a name)', 'unknown', 0], ['(without a name)#2', 'unknown', 0]]);
    expect(pluginsOf({ known: [], plugins: [], refused: [] })).toEqual([]);
  });

  it('finds the name in a complaint', () => {
    expect(refusedName('plugin counter: plugin counter was built for version 2.0')).toBe('counter');
    expect(refusedName('/plugins/0, line 3: unknown plugin, got "mine"')).toBe('mine');
    expect(refusedName('central is ambiguous')).toBe('central');
    expect(refusedName('plugins must be a list')).toBe('');
  });

  it('filters by plugin and agent', () => {
    const names = (word: string) => matching(pluginsOf(reports), word).map((one) => one.name);
    expect(names('FILT')).toEqual(['filter']);
    expect(names('web-3')).toEqual(['tag']);
    expect(names('nobody')).toEqual([]);
  });

  it('lays the past out in steps', () => {
    const lines = linesOf({ data: { result: [{ metric: { plugin: 'tag' }, values: [[0, '1'], [120, '2.5'], [180, 'NaN']] }] } }, 0, 240);
    expect(lines.get('tag')).toEqual([1, null, 2.5, null, null]);
    expect(linesOf({ error: 'no' }, 0, 60).size).toBe(0);
  });
});
