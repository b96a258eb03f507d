import { assert, test } from 'vitest';
import { scrollTo, sightOf } from './virtual';

test('the rows in sight and some beyond are shown, never more than there are', () => {
  assert.deepEqual(sightOf(0, 300, 30, 1000), { first: 0, many: 27 });
  assert.deepEqual(sightOf(3000, 300, 30, 1000), { first: 92, many: 27 });
  assert.deepEqual(sightOf(3000, 300, 30, 101), { first: 92, many: 9 });
  assert.deepEqual(sightOf(0, 300, 30, 0), { first: 0, many: 0 });
  assert.deepEqual(sightOf(9000, 300, 30, 5), { first: 4, many: 1 }, 'the list has become shorter');
});

test('a row scrolls into sight only if it is not', () => {
  assert.equal(scrollTo(5, 0, 300, 30), null);
  assert.equal(scrollTo(5, 300, 300, 30), 150);
  assert.equal(scrollTo(20, 0, 300, 30), 330);
  assert.equal(scrollTo(9, 0, 300, 30, 30), 30, 'below a head');
});
