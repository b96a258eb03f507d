import { assert, test } from 'vitest';
import type { Message } from './api';
import { idOf, placeOf } from './api';
import { between, cursorOf, merged, messageOf, offsetsOf, trimmed } from './list';

const message = (partition: number, offset: number, time: number, more: Partial<Message> = {}): Message => ({ partition, offset, time, key: 'a', bytes: 1, headers: {}, ...more });
const ids = (messages: Message[]) => messages.map(idOf);

test('messages are in the order of time, each once', () => {
  const shown = merged([], [message(0, 5, 10), message(1, 3, 10), message(0, 4, 9)]);
  assert.deepEqual(ids(shown), ['0:5', '1:3', '0:4']);
  assert.deepEqual(ids(merged(shown, [message(1, 4, 9.5), message(0, 5, 10), message(0, 6, 10)])), ['0:6', '0:5', '1:3', '1:4', '0:4']);
  assert.strictEqual(merged(shown, [message(0, 5, 10)]), shown, 'nothing new, nothing to draw');
});

test('released messages are found again from the cursor on', () => {
  const shown = merged([], [message(0, 5, 10), message(1, 3, 9), message(0, 4, 8), message(1, 2, 7), message(2, 8, 6)]);
  const kept = trimmed(shown, 2, '1:2,2:8');
  assert.deepEqual(ids(kept.shown), ['0:5', '1:3']);
  assert.equal(kept.older, '0:5,1:3,2:9');
  assert.equal(kept.released, 3);
  assert.deepEqual(trimmed(shown, 5, null), { shown, older: null, released: 0 });
  assert.equal(trimmed(shown, 4, null).older, '2:9', 'also when all had been found');
});

test('the message of a moment has a tick in it, or is the nearest', () => {
  const at = (offset: number, first: number, last: number) => message(0, offset, last + 0.1, { first_tick: first, last_tick: last });
  const second = { from: 100, width: 1 };
  assert.deepEqual(messageOf([at(3, 101, 101), at(2, 100, 100), at(1, 99, 99)], second), { id: '0:2', off: 0 });
  assert.deepEqual(messageOf([at(3, 100.9, 101.8), at(2, 99.9, 100.8), at(1, 98, 99)], second), { id: '0:2', off: 0 }, 'the first of two');
  assert.deepEqual(messageOf([at(3, 107, 107), at(2, 97, 97)], second), { id: '0:2', off: 3 });
  assert.deepEqual(messageOf([message(0, 9, 100.5, { error: 'no batch' })], second), { id: '0:9', off: 0 }, 'without ticks, by its time');
  assert.isNull(messageOf([], second));
});

test('cursors are read and written', () => {
  assert.equal(cursorOf(offsetsOf('0:17,12:4')), '0:17,12:4');
  assert.isNull(cursorOf(offsetsOf(null)));
  assert.equal(between(offsetsOf('0:10,1:5'), offsetsOf('0:15,1:5,2:100')), 5);
  assert.deepEqual(placeOf('3:12345'), { partition: 3, offset: 12345 });
  for (const wrong of ['', '3', '3:', ':3', 'a:1', '1:-2', '1:2:3']) assert.isNull(placeOf(wrong));
});
