import { assert, test } from 'vitest';
import { many, noun } from './format';

test('a noun is in the plural unless there is one of it', () => {
  assert.deepEqual([0, 1, 2, 1234].map((n) => many(n, 'agent')), ['0 agents', '1 agent', '2 agents', '1,234 agents']);
  assert.deepEqual([1, 2].map((n) => many(n, 'batch', 'batches')), ['1 batch', '2 batches']);
  assert.deepEqual([0, 1].map((n) => noun(n, 'batch', 'batches')), ['batches', 'batch']);
});
