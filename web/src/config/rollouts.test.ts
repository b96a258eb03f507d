// What an operator sees and may do.
import { assert, test } from 'vitest';
import { ApiError } from '../lib/api';
import { actionsOf, inOrder, RolloutsModel, stepStates, type Rollout } from './rollouts';

const rollout = (group: string, more: Partial<Rollout> = {}): Rollout => ({ group, state: 'running', over: false, step: 1, steps: ['5%', '25%', '100%'], started: 1, ...more } as Rollout);

test('actions follow the state', () => {
  assert.deepEqual(actionsOf({ state: 'running' }), ['pause', 'abort']);
  assert.deepEqual(actionsOf({ state: 'paused' }), ['resume', 'abort']);
  for (const state of ['undoing', 'finishing', 'done', 'failed', 'aborted'] as const) assert.deepEqual(actionsOf({ state }), []);
});

test('steps are passed, current or ahead', () => {
  assert.deepEqual(stepStates(rollout('web')), ['passed', 'current', 'ahead']);
  assert.deepEqual(stepStates(rollout('web', { state: 'done' })), ['passed', 'passed', 'passed']);
  assert.deepEqual(stepStates(rollout('web', { state: 'failed', step: 0 })), ['ahead', 'ahead', 'ahead']);
});

test('running ones come first, then the newest', () => {
  const all = [rollout('a', { over: true, started: 9 }), rollout('b'), rollout('c', { over: true, started: 10 })];
  assert.deepEqual(inOrder(all).map((one) => one.group), ['b', 'c', 'a']);
});

test('a wish is sent with its reason, and a refusal is shown', async () => {
  const asked: unknown[] = [];
  let answer: () => unknown = () => ({ rollouts: [], faults: [] });
  const model = new RolloutsModel({
    ask: <T>(path: string, parameters?: Record<string, string>, options?: RequestInit) => {
      asked.push([path, parameters, options?.body]);
      return new Promise<T>((resolve) => resolve(answer() as T));
    },
    headers: () => ({}),
  });
  assert.equal(await model.operate('web', 'abort', 'too slow'), true);
  assert.deepEqual(asked, [['/rollouts/operate', { group: 'web' }, '{"action":"abort","message":"too slow"}']]);
  answer = () => { throw new ApiError(409, 'web: the rollout r1 is done, so it cannot be aborted', {}); };
  assert.equal(await model.operate('web', 'abort', ''), false);
  assert.equal(model.fault.value, 'web: the rollout r1 is done, so it cannot be aborted');
  assert.equal(model.busy.value, '');
});

test('a missing token is named before anything is sent', async () => {
  const model = new RolloutsModel({ ask: () => { throw new Error('asked'); }, headers: () => null });
  assert.equal(await model.operate('web', 'pause', ''), false);
  assert.match(model.fault.value, /need the token/);
});
