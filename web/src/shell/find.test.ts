import { assert, test } from 'vitest';
import { find, score, type Item } from './find';

const item = (title: string, note = ''): Item => ({ kind: 'host', title, note, run: () => undefined });
const titles = (items: Item[], typed: string) => find(items, typed).map((one) => one.title);

test('the start of a name counts more than its middle, and letters in order count least', () => {
  const items = [item('my-web'), item('web-2'), item('web-10'), item('cobweb'), item('wide-elbow')];
  assert.deepEqual(titles(items, 'web'), ['web-2', 'web-10', 'my-web', 'cobweb', 'wide-elbow']);
  assert.deepEqual(titles(items, 'WEB-10'), ['web-10']);
  assert.deepEqual(titles(items, 'xyz'), []);
});

test('notes are searched as well', () => {
  assert.deepEqual(titles([item('a', 'site=eu-1'), item('b', 'site=us-1')], 'eu'), ['a']);
  assert.equal(score('anything', ' '), 1, 'nothing typed fits all');
});
