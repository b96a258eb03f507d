import { assert, test } from 'vitest';
import { csvOf } from './export';
import { lineOf } from './lines';
import { alertMarks, configMarks, effectOf, lateMarks, marksOf, restartMarks, rolloutMarks } from './marks';
import { specsOf } from './sections';

const panel = (metric: string, times: number[], values: (number | null)[]) => {
  const series = { agent: 'a', metric, labels: {}, unit: '1', kind: 'gauge' as const, times, values };
  return { spec: specsOf({ series: [series], metrics: {} }, 1)[0]!, lines: [lineOf(series, 'x', 'k', false)] };
};

test('gaps and boots are found in the lines', () => {
  const marks = marksOf([panel('system.cpu.utilization', [1, 2, 3, 60, 61, 62], [0, 0, 0, 0, 0, 0]), panel('system.uptime', [100, 110, 120], [500, 510, 7])], 0);
  assert.deepEqual(marks.map((one) => [one.kind, one.at, one.to]), [['gap', 3, 60], ['restart', 113, null]]);
});

test('alerts of these agents in this range are marks, and the end of a firing one is open', () => {
  const alert = (agent: string, status: string, from: string, to = '0001-01-01T00:00:00Z') => ({ status, labels: { alertname: 'Busy', agent }, annotations: {}, activeAt: from, endsAt: to });
  const at = (text: string) => Date.parse(text) / 1000;
  const [from, to] = [at('2026-01-01T10:00:00Z'), at('2026-01-01T11:00:00Z')];
  const marks = alertMarks([alert('a', 'firing', '2026-01-01T10:30:00Z'), alert('a', 'pending', '2026-01-01T10:30:00Z'), alert('b', 'firing', '2026-01-01T10:30:00Z')],
    [alert('a', 'resolved', '2026-01-01T09:00:00Z', '2026-01-01T10:10:00Z'), alert('a', 'resolved', '2026-01-01T08:00:00Z', '2026-01-01T09:10:00Z')], ['a'], from, to);
  assert.deepEqual(marks.map((one) => [one.at, one.to]), [[at('2026-01-01T09:00:00Z'), at('2026-01-01T10:10:00Z')], [at('2026-01-01T10:30:00Z'), null]]);
});

test('a change of the revision is a mark, the first value is not', () => {
  const marks = configMarks({ data: { result: [{ metric: { agent: 'a' }, values: [[1, '4'], [2, '4'], [3, '5']] }] } });
  assert.deepEqual(marks, [{ at: 3, to: null, kind: 'config', agent: 'a', text: 'runs configuration revision 5' }]);
});

test('a rollout is a mark of the agents of its group only', () => {
  const web = { group: 'web', author: 'alice', message: '', reason: 'CPU is higher', started: 10, ended: 20, state: 'failed' as const, past: [] };
  assert.deepEqual(rolloutMarks([web], 'a', ['linux', 'web']).map((one) => [one.at, one.kind, one.agent, one.text]),
    [[10, 'rollout', 'a', 'rollout of web began, by alice'], [20, 'rollout', 'a', 'rollout of web failed: CPU is higher']]);
  assert.deepEqual(rolloutMarks([web], 'b', ['web-2']), []);
});

test('what a change did to CPU is told by the means before and after it', () => {
  const times = [0, 100, 200, 300, 400, 500, 600, 700];
  const cpu = panel('system.cpu.utilization', times, [1, 0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5]);
  const change = (at: number, agent = 'a') => effectOf([cpu], { at, to: null, kind: 'config', agent, text: '' });
  assert.deepEqual(change(401), { before: 0.25, after: 0.5 }, 'values of 5 min on either side');
  assert.equal(change(200), null, 'too little is known before it');
  assert.equal(change(401, 'b'), null);
});

test('late data is one mark for each time without a pause, with the largest share', () => {
  const values: [number, string][] = [[10, '0.1'], [20, '0.45'], [30, '0'], [90, '0.02'], [100, 'NaN']];
  assert.deepEqual(lateMarks({ data: { result: [{ metric: {}, values }] } }, 10).map(({ at, to, text }) => [at, to, text]), [
    [10, 20, 'data came late: up to 45 % of the ticks of 5 min'], [90, 90, 'data came late: up to 2 % of the ticks of 5 min']]);
});

test('a run after another one is a restart, and tells how that one ended', () => {
  const run = (agent: string, end: string, first_time: string | null) => ({ agent, incarnation: 'i', end, first_time });
  const runs = [run('a', 'running', '2026-01-01T00:02:00Z'), run('a', 'stopped', '2026-01-01T00:00:00Z'), run('a', 'unclean', '2026-01-01T00:01:00Z'), run('b', 'running', '2026-01-01T00:01:30Z'), run('a', 'unknown', null)];
  const at = (text: string) => Date.parse(text) / 1000;
  assert.deepEqual(restartMarks(runs, false).map((one) => [one.at, one.text]), [
    [at('2026-01-01T00:01:00Z'), 'the agent started again; the run before had ended in order'], [at('2026-01-01T00:02:00Z'), 'the agent started again; the run before was killed']]);
  assert.include(restartMarks(runs, true)[0]!.text, 'a started again');
});

test('a table has a row for each time and quotes names', () => {
  const line = (label: string, times: number[]) => ({ key: '', label, below: false, times, values: times.map((t) => t / 10) });
  assert.deepEqual(csvOf([line('a, "b"', [1, 2]), line('c', [2])]).split('\n').map((row) => row.replace(/,[\d-]+ [\d:]+,/, ',CLOCK,')), ['time,local time,"a, ""b""",c', '1,CLOCK,0.1,', '2,CLOCK,0.2,0.2', '']);
  assert.match(csvOf([line('=1+1', [1])]), /^time,local time,'=1\+1\n/, 'no formula for a spreadsheet');
});
