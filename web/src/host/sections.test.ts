import { assert, test } from 'vitest';
import type { Series } from '../lib/api';
import { columnsOf, joined, lineOf } from './lines';
import { sectionOf, specsOf } from './sections';
import { figuresOf } from './summary';

const series = (metric: string, labels: Record<string, string> = {}, agent = 'a', unit = '1'): Series => ({ agent, metric, labels, unit, kind: 'gauge', times: [1, 2], values: [0.1, 0.2] });
const metrics = { 'system.cpu.utilization': { title: 'CPU utilization', description: 'Share of time.' } };

test('each metric has its section', () => {
  const of = { 'system.cpu.utilization': 'cpu', 'container.memory.usage': 'memory', 'system.network.errors.rate': 'network', 'system.uptime': 'system', 'system.filesystem.usage': 'filesystem', 'my.plugin.value': 'other', 'process.cpu.time': 'process' };
  for (const [metric, section] of Object.entries(of)) assert.equal(sectionOf(metric), section, metric);
});

test('a sum and its parts are charts of their own', () => {
  const all = [series('system.cpu.utilization', { 'cpu.mode': 'user' }), series('system.cpu.utilization'), series('system.cpu.utilization', { 'cpu.mode': 'idle' }), series('system.cpu.utilization', { 'cpu.logical_number': '0' })];
  const specs = specsOf({ series: all, metrics }, 1);
  assert.deepEqual(specs.map((one) => [one.title, one.mode, one.series.map((line) => line.label).join()]), [
    ['CPU utilization', 'lines', 'utilization'], ['CPU utilization by mode', 'stack', 'user'], ['CPU utilization by processor', 'lines', '0']]);
  assert.equal(specs[0]!.description, 'Share of time.');
  assert.deepEqual(specsOf({ series: [...all, series('system.cpu.utilization', { 'cpu.mode': 'user' }, 'b')], metrics }, 2).map((one) => one.mode), ['lines', 'lines', 'lines'], 'hosts are not stacked');
});

test('a chart of the only part is the chart of the sum again', () => {
  const disk = (device: string): Series[] => ['read', 'write'].map((one) => series('system.disk.io.rate', { 'disk.io.direction': one, ...(device === '' ? {} : { 'system.device': device }) }));
  const same = (...devices: string[]) => specsOf({ series: devices.flatMap(disk), metrics: {} }, 1).map((one) => one.same);
  assert.deepEqual(same('', 'vda'), [false, true]);
  assert.deepEqual(same('', 'vda', 'vdb'), [false, false]);
  assert.deepEqual(same('vda'), [false], 'without a sum, the part is all there is');
});

test('directions are mirrored, and load averages share a chart', () => {
  const specs = specsOf({ series: [series('system.network.io.rate', { 'network.io.direction': 'transmit' }), series('system.network.io.rate', { 'network.io.direction': 'receive' }),
    series('system.cpu.load_average.1m'), series('system.cpu.load_average.15m')], metrics: {} }, 1);
  assert.deepEqual(specs.map((one) => [one.metric, one.mode, one.series.map((line) => `${line.label}${line.below ? ' below' : ''}`).join()]), [
    ['system.cpu.load_average', 'lines', '1m,15m'], ['system.network.io.rate', 'mirror', 'transmit below,receive']]);
  assert.equal(specs[0]!.title, 'Load average');
});

test('stacked lines are drawn on top of each other, mirrored ones below zero', () => {
  const lines = [lineOf(series('m'), 'a', 'a', false), lineOf(series('m'), 'b', 'b', true)];
  const at = (mode: 'lines' | 'stack' | 'mirror') => columnsOf(lines, 0, mode).drawn.slice(1).map((column) => [...column]);
  assert.deepEqual(at('lines'), [[0.1, 0.2], [0.1, 0.2]]);
  assert.deepEqual(at('stack'), [[0.2, 0.4], [0.1, 0.2]]);
  assert.deepEqual(at('mirror'), [[0.1, 0.2], [-0.1, -0.2]]);
  assert.deepEqual(columnsOf(lines, 0, 'stack').values, [[0.1, 0.2], [0.1, 0.2]], 'the legend shows the values themselves');
});

test('a summary has the last value, and the extremes of the ticks behind averages', () => {
  const values = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.deepEqual(figuresOf({ values: [...values, null] }), { now: 100, min: 1, max: 100, p95: 95 });
  assert.deepEqual(figuresOf({ values: [2, 3], min: [1, 2], max: [9, null] }), { now: 3, min: 1, max: 9, p95: 3 });
  assert.equal(figuresOf({ values: [null] }), null);
});

test('a series that has changed its form is one line, in the order of time', () => {
  const parts: Series[] = [
    { ...series('system.cpu.utilization'), times: [1, 2, 5], values: [0.1, 0.2, 0.5] },
    { ...series('system.cpu.utilization'), times: [3, 4], values: [0.3, 0.4] },
    { ...series('system.cpu.utilization', {}, 'b'), times: [3], values: [0.9] },
    { ...series('system.cpu.utilization', {}, 'a', 'By'), times: [3], values: [7] },
  ];
  assert.deepEqual(joined(parts.map((one) => ({ series: one, key: '' }))).map(({ series: one }) => [one.agent, one.unit, one.times, one.values]), [
    ['a', '1', [1, 2, 3, 4, 5], [0.1, 0.2, 0.3, 0.4, 0.5]], ['b', '1', [3], [0.9]], ['a', 'By', [3], [7]]]);
  assert.equal(specsOf({ series: parts.slice(0, 2), metrics }, 1)[0]!.series.length, 1);
});

test('the labels of an agent\'s configuration do not tell its charts and lines apart', () => {
  const own = { a: { rack: 'r1', 'system.device': 'x' }, b: { rack: 'r2' } };
  const all = [series('system.cpu.utilization', { rack: 'r1', 'resource.system.device': 'x' }), series('system.cpu.utilization', { rack: 'r1', 'resource.system.device': 'x', 'cpu.mode': 'user' }), series('system.cpu.utilization', { rack: 'r1', 'resource.system.device': 'x', 'cpu.mode': 'idle' })];
  const specs = specsOf({ series: all, metrics }, 1, own);
  assert.deepEqual(specs.map((one) => [one.title, one.by, one.mode]), [['CPU utilization', '', 'lines'], ['CPU utilization by mode', 'cpu.mode', 'stack']]);
  assert.deepEqual(specs.map((one) => one.series.map((line) => line.label)), [['utilization'], ['user']]);
  assert.equal(specs[0]!.series[0]!.key, 'a system.cpu.utilization{rack=r1,resource.system.device=x}', 'events have all labels');
  const renamed = specsOf({ series: [{ ...series('system.cpu.utilization', { rack: 'r1' }), times: [3, 4] }, series('system.cpu.utilization')], metrics }, 1, own)[0]!.series;
  assert.deepEqual(renamed.map((one) => [one.key, one.series.times]), [['a system.cpu.utilization{rack=r1}', [1, 2, 3, 4]]], 'values before the agent had labels belong to the same line');
  const two = specsOf({ series: [series('system.cpu.utilization', { rack: 'r1' }), series('system.cpu.utilization', { rack: 'r2' }, 'b'), series('system.cpu.utilization', { rack: 'other' }, 'b')], metrics }, 2, own);
  assert.deepEqual(two.map((one) => [one.by, one.series.length]), [['', 2], ['rack', 1]], 'another value of that label is no label of the agent');
});
