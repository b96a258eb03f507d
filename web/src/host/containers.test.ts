import { assert, test } from 'vitest';
import type { Series } from '../lib/api';
import { containerName, containerRows, podName, sortedContainers } from './containers';
import { lineOf } from './lines';
import { specsOf } from './sections';

const ID = 'ab12'.repeat(16);
const of = (metric: string, labels: Record<string, string>, values: number[], times = [1, 2]): Series => ({ agent: 'a', metric, labels, unit: '1', kind: 'gauge', times, values });
const panels = (series: Series[]) => specsOf({ series, metrics: {} }, 1).map((spec) => ({ spec, lines: spec.series.map((one) => lineOf(one.series, one.label, '', false)) }));
const web = { 'container.id': ID, 'container.name': 'web', 'container.runtime.name': 'docker' };
const pod = { 'container.id': 'f0'.repeat(32), 'k8s.pod.name': 'db-0', 'k8s.namespace.name': 'shop', 'k8s.pod.uid': 'u' };

const SERIES = [
  of('container.cpu.usage', web, [1, 0.5]), of('container.cpu.usage', pod, [1, 2]), of('container.memory.working_set', web, [1, 5]), of('container.memory.limit', pod, [1, 9]),
  of('container.disk.io.rate', { ...web, 'disk.io.direction': 'read' }, [0, 7]), of('container.disk.io.rate', { ...web, 'disk.io.direction': 'write' }, [0, 8]),
  of('container.memory.usage', {}, [1, 4]), of('container.cpu.usage', { 'container.id': 'gone' }, [3], [1]), of('container.thread.count', { 'container.id': 'c' }, [1, 3]),
];

test('a row has the newest values of a container, and ended ones have none', () => {
  const rows = sortedContainers(containerRows(panels(SERIES)), { column: 'cpu', down: true });
  assert.deepEqual(rows.map((row) => [row.name, row.pod, row.cpu, row.memory, row.limit, row.read, row.write, row.threads]), [
    ['f0f0f0f0f0f0', 'shop/db-0', 2, null, 9, null, null, null], ['web', '', 0.5, 5, null, 7, 8, null], ['c', '', null, null, null, null, null, 3]]);
  assert.equal(sortedContainers(rows, { column: 'name', down: false }).map((row) => row.name).join(), 'c,f0f0f0f0f0f0,web');
});

test('names are those that people know', () => {
  assert.equal(containerName(web), 'web');
  assert.equal(containerName({ 'container.id': ID }), ID.slice(0, 12));
  assert.equal(containerName({ 'container.id': 'lxc-1' }), 'lxc-1');
  assert.equal(podName({ 'k8s.pod.uid': 'u' }), 'u');
});

test('containers share charts in their own section, apart from the memory of the agent itself', () => {
  const specs = specsOf({ series: SERIES, metrics: {} }, 1);
  const cpu = specs.filter((one) => one.metric === 'container.cpu.usage');
  assert.equal(cpu.length, 1);
  assert.equal(cpu[0]!.section, 'container');
  assert.deepEqual(cpu[0]!.series.map((one) => one.label), ['gone', 'f0f0f0f0f0f0', 'web']);
  assert.equal(specs.find((one) => one.metric === 'container.memory.usage')!.section, 'memory');
  assert.equal(specs.find((one) => one.metric === 'container.disk.io.rate')!.mode, 'mirror');
});
