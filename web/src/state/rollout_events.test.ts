import { assert, test } from 'vitest';
import { rolloutEvents, type Group } from './rollout_events';

const run = (more: Partial<Group>): Group => ({ group: 'web', author: 'alice', message: '', reason: '', started: 10, ended: null, state: 'running', past: [], ...more });

test('a rollout that runs has begun, and one that is over has an end as well', () => {
  const all = [run({ message: 'faster', past: [run({ started: 1, ended: 5, state: 'failed', reason: 'CPU is higher', author: 'bob' })] }), run({ group: 'db', started: 2, ended: 3, state: 'done', reason: 'all passed' })];
  assert.deepEqual(rolloutEvents(all).map((one) => [one.at, one.text, one.failed]), [
    [1, 'rollout of web began, by bob', false],
    [2, 'rollout of db began, by alice', false],
    [3, 'rollout of db is done', false],
    [5, 'rollout of web failed: CPU is higher', true],
    [10, 'rollout of web began, by alice: faster', false],
  ]);
});

test('one that is being undone has not ended', () => {
  assert.equal(rolloutEvents([run({ state: 'undoing', ended: null })]).length, 1);
});
