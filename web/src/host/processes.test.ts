import { assert, test } from 'vitest';
import type { Series } from '../lib/api';
import { lineOf } from './lines';
import { orderOf, orderText, processRows, sorted, switchOn, totalsOf } from './processes';
import { sectionOf, specsOf } from './sections';

const of = (metric: string, labels: Record<string, string>, values: number[], times = [1, 2]): Series => ({ agent: 'a', metric, labels, unit: '1', kind: 'gauge', times, values });
const named = (pid: string, command = 'p') => ({ 'process.command': command, 'process.owner': 'root', 'process.pid': pid });
const panels = (series: Series[]) => specsOf({ series, metrics: {} }, 1).map((spec) => ({ spec, lines: spec.series.map((one) => lineOf(one.series, one.label, '', false)) }));

const SERIES = [
  of('process.cpu.utilization', named('9'), [0.5, 0.25]), of('process.memory.usage', named('9'), [1, 2000]),
  of('process.disk.io.rate', { ...named('9'), 'disk.io.direction': 'read' }, [0, 7]), of('process.disk.io.rate', { ...named('9'), 'disk.io.direction': 'write' }, [0, 8]),
  of('process.cpu.utilization', named('10', 'kworker/0:1'), [0, 0.5]),
  of('process.cpu.utilization', named('11', 'ended'), [0.9], [1]), of('process.memory.usage', named('12', 'sleeps'), [1, 9]),
];

test('a row has the newest values of a process, and ended ones have none', () => {
  const rows = sorted(processRows(panels(SERIES)), orderOf(''));
  assert.deepEqual(rows.map((row) => [row.pid, row.command, row.cpu, row.memory, row.read, row.write]), [
    ['10', 'kworker/0:1', 0.5, null, null, null], ['9', 'p', 0.25, 2000, 7, 8], ['12', 'sleeps', null, 9, null, null]]);
  assert.equal(rows[0]!.owner, 'root');
});

test('rows are sorted by any column, missing values last', () => {
  const pids = (order: string) => sorted(processRows(panels(SERIES)), orderOf(order)).map((row) => row.pid).join();
  assert.equal(pids('memory'), '12,9,10');
  assert.equal(pids('-memory'), '9,12,10');
  assert.equal(pids('pid'), '9,10,12');
  assert.equal(pids('command'), '10,9,12');
  assert.equal(pids('-write'), '9,10,12');
  assert.equal(pids('no such column'), '10,9,12');
  for (const text of ['', 'pid', '-memory']) assert.equal(orderText(orderOf(text)), text);
});

test('totals are by state, the most first', () => {
  const count = (state: string, number: number) => of('system.process.count', { 'process.state': state }, [1, number]);
  assert.deepEqual(totalsOf(panels([count('running', 2), count('sleeping', 90), of('system.process.created.rate', {}, [5, 6])])), { states: [['sleeping', 90], ['running', 2]], created: 6 });
  assert.deepEqual(totalsOf(panels(SERIES)), { states: [], created: null });
});

test('charts of processes name them, the largest first', () => {
  const spec = panels(SERIES).find((one) => one.spec.metric === 'process.cpu.utilization')!.spec;
  assert.equal(spec.section, 'process');
  assert.equal(sectionOf('system.process.count'), 'process');
  assert.deepEqual(spec.series.map((one) => one.label), ['ended 11', 'p 9', 'kworker/0:1 10']);
  assert.equal(spec.title, 'process.cpu.utilization');
});

test('the command that switches processes on survives a shell', () => {
  assert.equal(switchOn('web-1'), 'monitor-config set --agent-id web-1 metrics+=processes');
  assert.include(switchOn("it's"), "--agent-id 'it'\\''s' ");
});
