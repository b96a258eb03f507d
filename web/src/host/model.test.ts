import { afterEach, assert, beforeEach, expect, test, vi } from 'vitest';
import type * as Api from '../lib/api';
import { ApiError, ask, type Range } from '../lib/api';
import { go } from '../lib/page';
import { stream } from '../lib/stream';
import { loadMarks } from './marks';
import { HostModel } from './model';

vi.mock('../lib/api', async (original) => ({ ...(await original<typeof Api>()), ask: vi.fn() }));
vi.mock('../lib/page');
vi.mock('../lib/stream', () => ({ stream: { follow: vi.fn(), attend: vi.fn() } }));
vi.mock('./marks', () => ({ loadMarks: vi.fn(), marksOf: () => [] }));
vi.stubGlobal('window', globalThis);
vi.stubGlobal('document', { hidden: false });
vi.stubGlobal('innerWidth', 1000);
vi.stubGlobal('requestAnimationFrame', () => 1);
vi.stubGlobal('cancelAnimationFrame', () => undefined);

const NOW = 1_700_000_000;
const cpu = (agent: string, times: number[]) => ({ agent, metric: 'system.cpu.utilization', labels: {}, unit: '1', kind: 'gauge' as const, times, values: times.map(() => 0.5) });
const answer = (series: unknown[], resolution = 'full') => ({ series, metrics: {}, resolution, live_id: 'run-7' }) as unknown as Range;

interface Asked { path: string; parameters: Record<string, string | string[]> }
let asked: Asked[];
let ranges: (() => Promise<Range>)[];  // the answers of /range in turn; the last one stays

function serve(): void {
  vi.mocked(ask).mockImplementation((path, parameters = {}) => {
    asked.push({ path, parameters: parameters as Asked['parameters'] });
    if (path === '/range') return (ranges.length > 1 ? ranges.shift()! : ranges[0]!)();
    if (path === '/fleet') return Promise.resolve({ now: NOW, agents: [{ agent: 'a' }, { agent: 'b' }] });
    if (path === '/agents/gone') return Promise.reject(new ApiError(404, 'no such agent', {}));
    return Promise.resolve({ agent: path.slice('/agents/'.length) });
  });
}
const asksOf = (path: string) => asked.filter((one) => one.path === path).map((one) => one.parameters);
const event = (...given: [string, unknown]) => vi.mocked(stream.follow).mock.lastCall![2](...given);

let model: HostModel;
async function start(address: string): Promise<void> {
  model = new HostModel();
  model.start(new URLSearchParams(address));
  await vi.advanceTimersByTimeAsync(1);
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
  vi.clearAllMocks();
  vi.mocked(loadMarks).mockResolvedValue([]);
  asked = [];
  ranges = [() => Promise.resolve(answer([cpu('a', [NOW - 20, NOW - 10])]))];
  serve();
});
afterEach(() => {
  model.close();
  vi.useRealTimers();
});

test('the address chooses agents, metric and time, and the model gives the same address', async () => {
  await start('agents=a,b&metric=system.cpu.*&from=1699999000&to=1699999900&earlier=86400');
  assert.deepEqual([model.agents.value, model.metric.value, model.range.live, model.earlier.value], [['a', 'b'], 'system.cpu.*', false, 86400]);
  const [now, before] = asksOf('/range');
  assert.deepEqual([now!['agent'], now!['metric'], now!['from'], now!['to']], [['a', 'b'], 'system.cpu.*', '1699999000.000', '1699999900.000']);
  assert.deepEqual([before!['from'], before!['to']], ['1699912600.000', '1699913500.000']);
  assert.deepEqual(model.parameters(), { agents: 'a,b', from: '1699999000.000', to: '1699999900.000', metric: 'system.cpu.*', earlier: '86400' });
  assert.equal(model.parameters('system.load')['metric'], 'system.load', 'a link to one chart');
  assert.isAtMost(new HostModel().agents.value.length, 0);
});

test('the live stream goes on where the history ends', async () => {
  await start('agents=a');
  expect(stream.follow).toHaveBeenCalledOnce();
  assert.deepEqual(vi.mocked(stream.follow).mock.lastCall!.slice(0, 2), [['agent:a'], 'run-7']);
  event('tick', { agent: 'a', time: NOW + 1, values: { 'system.cpu.utilization': 0.75 } });
  const line = model.panels.shown.value[0]!.lines[0]!;
  assert.deepEqual([line.times.at(-1), line.values.at(-1)], [NOW + 1, 0.75]);
  // A known tick again changes nothing; one in between is late, and the history is read again.
  event('tick', { agent: 'a', time: NOW + 1, values: { 'system.cpu.utilization': 0.75 } });
  assert.equal(line.times.length, 3);
  event('tick', { agent: 'a', time: NOW - 15, values: { 'system.cpu.utilization': 0.1 } });
  await vi.advanceTimersByTimeAsync(6000);
  assert.equal(asksOf('/range').length, 2);
  expect(stream.follow).toHaveBeenCalledOnce();
});

test('a series without a chart is looked for three times at most', async () => {
  await start('agents=a');
  for (let i = 1; i < 20; ++i) {
    event('tick', { agent: 'a', time: NOW + i, values: { 'new.metric': 1 } });
    await vi.advanceTimersByTimeAsync(6000);
  }
  assert.equal(asksOf('/range').length, 1 + 3);
});

test('looking back pauses the stream of values, and Back undoes it', async () => {
  await start('agents=a');
  model.move(() => model.range.pan(-0.5));
  await vi.advanceTimersByTimeAsync(1);
  assert.isFalse(model.range.live);
  expect(go).toHaveBeenLastCalledWith('agent', model.parameters(), 'push');
  const points = model.panels.shown.value[0]!.lines[0]!.times.length;
  event('tick', { agent: 'a', time: NOW + 1, values: { 'system.cpu.utilization': 0.75 } });
  assert.equal(model.panels.shown.value[0]!.lines[0]!.times.length, points);
  model.update(new URLSearchParams('agents=a'));
  assert.isTrue(model.range.live);
  model.filter('system.*');
  expect(go).toHaveBeenLastCalledWith('agent', { agents: 'a', metric: 'system.*' }, 'replace');
});

test('charts of an agent that is no longer chosen go at once, and its late answer is not shown', async () => {
  let late: (range: Range) => void = () => undefined;
  await start('agents=a');
  assert.equal(model.panels.shown.value.length, 1);
  ranges = [() => new Promise((resolve) => { late = resolve; }), () => Promise.resolve(answer([cpu('b', [NOW - 5])]))];
  model.move(() => model.range.zoomIn());
  model.remove('a');
  assert.deepEqual([model.panels.shown.value, model.facts.value, model.loaded.value], [[], [], false]);
  assert.isTrue(await model.add('b'));
  await vi.advanceTimersByTimeAsync(1);
  late(answer([cpu('a', [NOW - 20])]));
  await vi.advanceTimersByTimeAsync(1);
  assert.deepEqual(model.panels.shown.value[0]!.lines.map((one) => one.key.split(' ')[0]), ['b']);
  assert.isFalse(await model.add('nobody'));
});

test('a server that fails is asked again, and one that refuses is not', async () => {
  ranges = [() => Promise.reject(new ApiError(503, 'busy', {})), () => Promise.resolve(answer([cpu('a', [NOW - 5])]))];
  await start('agents=a');
  assert.equal(model.info.value, 'The history cannot be read: busy');
  await vi.advanceTimersByTimeAsync(2100);
  assert.isTrue(model.loaded.value);
  ranges = [() => Promise.reject(new ApiError(400, 'no such pattern', {}))];
  model.filter('[');
  await vi.advanceTimersByTimeAsync(10_000);
  assert.equal(asksOf('/range').length, 3);
  assert.equal(model.info.value, 'The history cannot be read: no such pattern');
});

test('averages are read again as time passes, and an unknown agent is told', async () => {
  ranges = [() => Promise.resolve(answer([cpu('gone', [NOW - 60])], '1m'))];
  await start('agents=gone&span=86400');
  assert.deepEqual(model.facts.value, [{ agent: 'gone', row: null, fault: 'no such agent' }]);
  assert.include(model.info.value, 'averages of 1m');
  const before = asksOf('/range').length;
  await vi.advanceTimersByTimeAsync(12_000);
  assert.equal(asksOf('/range').length, before + 1);
});

test('marks that fail to load leave the charts, and marks of other agents are not shown', async () => {
  vi.mocked(loadMarks).mockRejectedValueOnce(new Error('no'));
  await start('agents=a');
  assert.isTrue(model.loaded.value);
  assert.deepEqual(model.marks.value, []);
  let late: (found: never[]) => void = () => undefined;
  vi.mocked(loadMarks).mockImplementationOnce(() => new Promise((resolve) => { late = resolve; }));
  model.move(() => model.range.zoomIn());
  await vi.advanceTimersByTimeAsync(1);
  model.update(new URLSearchParams('agents=b'));
  late([{ at: 1, to: null, kind: 'config', text: 'of a' } as never]);
  await vi.advanceTimersByTimeAsync(1);
  assert.deepEqual(model.marks.value, []);
});
