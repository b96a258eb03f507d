import { assert, test } from 'vitest';
import type { Status } from '../lib/api';
import { changesOf, revisionChanges } from '../home/changes';
import { alertOf } from './alert';
import { lampOf, noticesOf } from './notices';
import { routeOf } from './route';

const given = {
  status: 'firing', labels: { alertname: 'CpuBusy', agent: 'web-1', severity: 'warning' }, annotations: { summary: 'web-1: busy' },
  startsAt: '2026-11-30T14:10:00Z', endsAt: '0001-01-01T00:00:00Z', activeAt: '2026-11-30T14:00:00Z', value: 0.97, silencedBy: ['s1'], inhibitedBy: [],
};
const status: Status = {
  version: '1', now: 0, agents: 1, trouble: [], servers: { state: 'writing', last: 1, trouble: '' }, history: { trouble: '', since: null },
  log: { name: 'l', trouble: '', since: null, newest: 1, caught_up: true, skipped: 0, lost: 0 }, config: { source: '', files: true, trouble: '', editable: true },
};

test('an alert is read as the server writes it', () => {
  const alert = alertOf(given);
  assert.deepEqual([alert.name, alert.state, alert.agent, alert.severity, alert.value, alert.silencedBy], ['CpuBusy', 'firing', 'web-1', 'warning', 0.97, ['s1']]);
  assert.equal(alert.since, Date.parse('2026-11-30T14:00:00Z') / 1000);
  assert.equal(alertOf({ ...given, status: 'pending', value: null }).value, null);
});

test('the changes of the last hour are the newest first, and older ones are left out', () => {
  const now = Date.parse('2026-11-30T14:30:00Z') / 1000;
  const row = { agent: 'b', health: 'gone', seen: now - 60 } as never;
  const past = { alerts: [{ name: 'Old', agent: 'a', ended: now - 4000 }], revisions: [{ agent: 'c', at: now - 10 }] };
  assert.deepEqual(changesOf([row], [alertOf(given)], past, now).map((one) => `${one.kind} ${one.agent}`), ['config c', 'gone b', 'alert web-1']);
  assert.deepEqual(changesOf([], [alertOf({ ...given, status: 'pending' })], { alerts: [], revisions: [] }, now), []);
  const rollout = (at: number) => ({ at, group: 'web', text: 'rollout of web began', failed: false });
  assert.deepEqual(changesOf([], [], { alerts: [], revisions: [], rollouts: [rollout(now - 10), rollout(now - 3601)] }, now), [{ at: now - 10, kind: 'rollout', what: 'rollout of web began', agent: '' }]);
});

test('an agent whose revision changed is listed with the time of the last change', () => {
  const result = [{ metric: { agent: 'a' }, values: [[1, '1'], [2, '2'], [3, '2'], [4, '3']] as [number, string][] }, { metric: { agent: 'b' }, values: [[1, '7'], [2, '7']] as [number, string][] }];
  assert.deepEqual(revisionChanges({ data: { result } }), [{ agent: 'a', at: 4 }]);
  assert.deepEqual(revisionChanges({}), []);
});

test('the lamp and the notices say what is wrong', () => {
  assert.deepEqual(lampOf('live', 0, 0, status), { kind: 'live', text: 'live' });
  assert.deepEqual(lampOf('lost', 1000, 8500, status), { kind: 'lost', text: 'disconnected for 7.5 s' });
  const away: Status = { ...status, servers: { state: 'away', last: 1, trouble: 'no server writes' } };
  assert.deepEqual(lampOf('live', 0, 0, away), { kind: 'quiet', text: 'no server' });
  assert.deepEqual(noticesOf('live', 0, away), ['No server writes.']);
  assert.equal(noticesOf('lost', 0, null).length, 1);
  assert.deepEqual(noticesOf('live', 0, status), []);
});

test('the address names a page and its parameters', () => {
  const { page, parameters } = routeOf('#/agent?agents=a%2Cb&span=60');
  assert.deepEqual([page, parameters.get('agents'), parameters.get('span')], ['agent', 'a,b', '60']);
  assert.equal(routeOf('').page, '');
});
