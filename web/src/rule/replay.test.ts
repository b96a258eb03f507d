import { assert, test } from 'vitest';
import { lanesOf, reachOf, summaryOf, unknownShare } from './replay';
import type { Replay } from './rule_api';

const one = (agent: string, active: number, fired: number | null, ended: number | null, more = {}) => ({ rule: 'A', group: 'g', labels: { alertname: 'A', severity: 'page', agent, ...more }, annotations: {}, value: '1', active, fired, ended });
const REPLAY: Replay = { from: 0, to: 100, history: [], groups: [], evaluations: 10, fired: 2, left_out: 0, failures: [], alerts: [one('b', 10, null, 12), one('a', 20, 30, 50), one('b', 60, 60, null)] };

test('each set of labels has a lane with its pending and firing times', () => {
  const lanes = lanesOf(REPLAY);
  assert.deepEqual(lanes.map((lane) => [lane.name, lane.fired, lane.seconds]), [['b', 1, 40], ['a', 1, 20]]);
  assert.deepEqual(lanes[0]!.parts, [{ state: 'pending', from: 10, to: 12, open: false }, { state: 'firing', from: 60, to: 100, open: true }]);
  assert.deepEqual(lanes[1]!.parts, [{ state: 'pending', from: 20, to: 30, open: false }, { state: 'firing', from: 30, to: 50, open: false }]);
  assert.equal(lanesOf({ ...REPLAY, alerts: [one('a', 1, 2, 3, { disk: 'x' }), one('a', 1, 2, 3, { disk: 'y' })] })[0]!.name, 'disk=x');
});

test('the result is told in a sentence', () => {
  assert.equal(summaryOf(REPLAY, lanesOf(REPLAY)), 'It would have fired 2 times, for 2 sets of labels, 60 s in total.');
  const never = { ...REPLAY, fired: 0, alerts: [one('a', 1, null, 2)] };
  assert.equal(summaryOf(never, lanesOf(never)), 'It would have been pending 1 time, and never have fired.');
  assert.equal(summaryOf({ ...never, alerts: [] }, []), 'It would never have been pending.');
});

test('it is told how far the history reaches', () => {
  assert.equal(reachOf(REPLAY), 'The history is empty.');
  const history: Replay['history'] = [{ resolution: 'full', from: 50, to: 100 }, { resolution: '1s', from: 50, to: 100 }, { resolution: '10s', from: 50, to: 100 }, { resolution: '1m', from: 20, to: 100 }];
  assert.match(reachOf({ from: 0, history }), /^The history begins at 1970-01-01 \d\d:00:20: before that, nothing can be said. It has every value since .*:50, averages of 1 min since .*:20\.$/);
  assert.match(reachOf({ from: 30, history }), /^The history has every value since/);
  assert.equal(unknownShare({ from: 0, to: 100, history }), 0.2);
  assert.equal(unknownShare({ from: 30, to: 100, history }), 0);
});
