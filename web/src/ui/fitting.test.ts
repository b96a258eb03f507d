import { assert, test } from 'vitest';
import { fitting } from './fitting';

test('names that begin with what is typed come first, in their natural order', () => {
  assert.deepEqual(fitting(['web-10', 'web-2', 'my-web', 'db'], ' WEB '), ['web-2', 'web-10', 'my-web']);
  assert.deepEqual(fitting(['b', 'a'], ''), ['a', 'b'], 'all of them while nothing is typed');
  assert.deepEqual(fitting(['a'], 'x'), []);
  assert.equal(fitting(Array.from({ length: 1000 }, (_, i) => `h${i}`), 'h').length, 12);
});
