import { assert, test } from 'vitest';
import type { Parameters } from '../lib/api';
import type { Found, Message } from './api';
import { idOf } from './api';
import { Feed, MOST_BEHIND, MOST_ROWS } from './feed';

const message = (offset: number): Message => ({ partition: 0, offset, time: 1000 + offset, key: `agent-${offset % 10}`, bytes: 1, headers: {}, first_tick: 999.5 + offset, last_tick: 999.5 + offset });

// A log with one partition, whose answers examine at most `block` records.
class FakeLog {
  begin = 0;  // what retention has left
  end = 100;
  block = 50;
  asked: Parameters[] = [];
  fault = '';

  ask = (parameters: Parameters): Promise<Found> => {
    this.asked.push(parameters);
    if (this.fault !== '') return Promise.reject(new Error(this.fault));
    const { agent, cursor, limit, order, since, until, offset } = parameters as Record<string, string | undefined>;
    const at = cursor === undefined ? null : Number(cursor.split(':')[1]);
    const low = Math.max(this.begin, since === undefined ? 0 : Math.ceil(Number(since)) - 1000, Number(offset ?? 0));
    const high = until === undefined ? this.end : Math.ceil(Number(until)) - 1000;
    const fits = (n: number) => agent === undefined || `agent-${n % 10}` === agent;
    const found: Message[] = [];
    let looked = 0;
    let next = order === 'oldest' ? Math.max(at ?? low, low) : at ?? high;
    const left = () => (order === 'oldest' ? high - next : next - low);
    for (; left() > 0 && found.length < Number(limit) && looked < this.block; ++looked) {
      const n = order === 'oldest' ? next++ : --next;
      if (fits(n)) found.push(message(n));
    }
    const more = order === 'oldest' || left() > 0 ? `0:${next}` : null;
    return Promise.resolve({ messages: found, looked_at: looked, left: Math.max(left(), 0), cursor: more, follow: order === 'oldest' || at !== null ? null : `0:${high}` });
  };
}

// Time that passes when the test says so.
class Sleep {
  private waiting: (() => void)[] = [];
  sleep = (): Promise<void> => new Promise((resolve) => { this.waiting.push(resolve); });
  async pass(times = 1): Promise<void> {
    for (let i = 0; i < times; ++i) {
      for (const wake of this.waiting.splice(0)) wake();
      for (let k = 0; k < 20; ++k) await Promise.resolve();
    }
  }
}

function made(): { log: FakeLog; feed: Feed; sleep: Sleep } {
  const [log, sleep] = [new FakeLog(), new Sleep()];
  return { log, sleep, feed: new Feed(log.ask, sleep.sleep, () => false) };
}
const offsets = (feed: Feed) => feed.rows.value.map((one) => one.offset);

test('a search goes on until a page is full or nothing is left', async () => {
  const { log, feed } = made();
  await feed.show({ mode: 'newest', filters: { agent: 'agent-3' } }, false);
  assert.deepEqual(offsets(feed), [93, 83, 73, 63, 53, 43, 33, 23, 13, 3]);
  assert.isNull(feed.older.value);
  assert.deepEqual(feed.progress.value, { lookedAt: 100, left: 0, busy: false, stopped: false });
  log.end = 1000;
  await feed.show({ mode: 'newest', filters: {} }, false);
  assert.equal(feed.rows.value.length, 60);
  await feed.goOlder();
  assert.equal(feed.rows.value.length, 120);
  assert.equal(new Set(feed.rows.value.map(idOf)).size, 120);
});

test('a search that is stopped can go on', async () => {
  const log = new FakeLog();
  log.end = 1000;
  const own: Feed = new Feed((parameters) => { if (log.asked.length === 2) own.stop(); return log.ask(parameters); }, () => Promise.resolve(), () => false);
  await own.show({ mode: 'newest', filters: { agent: 'nobody' } }, false);
  assert.deepEqual(own.progress.value, { lookedAt: 150, left: 850, busy: false, stopped: true });
  await own.goOlder();
  assert.equal(own.progress.value.left, 0);
  assert.isFalse(own.progress.value.stopped);
});

test('around a moment, the list has what comes before and after, and marks the message of the moment', async () => {
  const { log, feed } = made();
  log.end = 1000;
  await feed.show({ mode: 'around', filters: {}, moment: { from: 1500, width: 1 } }, false);
  assert.deepEqual([offsets(feed)[0], offsets(feed).at(-1)], [544, 485]);
  assert.deepEqual(feed.marked.value, { id: '0:501', off: 0 });
  await feed.goNewer();
  assert.equal(offsets(feed)[0], 604);
  await feed.goOlder();
  assert.equal(offsets(feed).at(-1), 425);
  assert.equal(new Set(offsets(feed)).size, 180);
});

test('around an offset', async () => {
  const { feed } = made();
  await feed.show({ mode: 'offset', filters: { partition: 0 }, partition: 0, offset: 40 }, false);
  assert.deepEqual([offsets(feed)[0], offsets(feed).at(-1)], [84, 25]);
  assert.equal(feed.marked.value?.id, '0:40');
});

test('the tail shows all that comes, also with a filter', async () => {
  const { log, feed, sleep } = made();
  await feed.show({ mode: 'newest', filters: { agent: 'agent-3' } }, true);
  await sleep.pass();
  log.end = 150;
  await sleep.pass(5);
  assert.deepEqual(offsets(feed).slice(0, 6), [143, 133, 123, 113, 103, 93]);
  assert.equal(feed.tail.value.skipped, 0);
  assert.equal(feed.place.value, '0:150');
});

test('nothing is lost during a pause or a fault of the server', async () => {
  const { log, feed, sleep } = made();
  await feed.show({ mode: 'newest', filters: {} }, true);
  feed.setPaused(true);
  log.end = 200;
  await sleep.pass(3);
  assert.equal(offsets(feed)[0], 99);
  feed.setPaused(false);
  log.fault = 'the log is away';
  await sleep.pass();
  assert.equal(feed.tail.value.fault, 'the log is away');
  log.fault = '';
  await sleep.pass(5);
  assert.equal(feed.tail.value.fault, '');
  assert.deepEqual(offsets(feed).slice(0, 101), Array.from({ length: 101 }, (_, i) => 199 - i));
});

test('what comes too fast is skipped, and counted', async () => {
  const { log, feed, sleep } = made();
  await feed.show({ mode: 'newest', filters: {} }, true);
  await sleep.pass();
  log.end += 2 * MOST_BEHIND;
  await sleep.pass(3);
  const { skipped } = feed.tail.value;
  assert.isAbove(skipped, MOST_BEHIND);
  const seen = offsets(feed).filter((one) => one >= 100).length;
  assert.equal(seen + skipped, 2 * MOST_BEHIND, 'each is shown or counted');
  log.end += 10;
  await sleep.pass(2);
  assert.equal(offsets(feed)[0], log.end - 1, 'the tail goes on at the end');
});

test('what retention deletes during a pause is counted', async () => {
  const { log, feed, sleep } = made();
  await feed.show({ mode: 'newest', filters: {} }, true);
  await sleep.pass();
  feed.setPaused(true);
  log.end = 300;
  log.begin = 250;
  await sleep.pass();
  feed.setPaused(false);
  await sleep.pass(3);
  assert.equal(feed.tail.value.gone, 150);
  assert.equal(offsets(feed).filter((one) => one >= 250).length, 50);
});

test('rows beyond the limit are released, and can be found again', async () => {
  const { log, feed, sleep } = made();
  log.block = 200;
  await feed.show({ mode: 'newest', filters: {} }, true);
  for (let i = 0; i < 30; ++i) {
    log.end += 200;
    await sleep.pass(2);
  }
  assert.equal(feed.rows.value.length, MOST_ROWS);
  assert.isAbove(feed.tail.value.released, 0);
  const oldest = offsets(feed).at(-1)!;
  assert.equal(feed.older.value, `0:${oldest}`);
});

test('another search ends the one before', async () => {
  const { log, feed, sleep } = made();
  await feed.show({ mode: 'newest', filters: {} }, true);
  const first = feed.show({ mode: 'newest', filters: { agent: 'agent-1' } }, false);
  await feed.show({ mode: 'newest', filters: { agent: 'agent-2' } }, false);
  await first;
  log.end = 200;
  await sleep.pass(3);
  assert.deepEqual([...new Set(feed.rows.value.map((one) => one.key))], ['agent-2']);
  feed.close();
});

test('a search that begins when the view is gone asks nothing and follows nothing', async () => {
  const { log, feed, sleep } = made();
  feed.close();
  assert.isFalse(await feed.show({ mode: 'newest', filters: {} }, true));
  await sleep.pass(3);
  assert.deepEqual([log.asked.length, feed.tail.value.on], [0, false]);
});

test('a search that the end of the view interrupts says so', async () => {
  const { feed } = made();
  const shown = feed.show({ mode: 'newest', filters: {} }, true);
  feed.close();
  assert.isFalse(await shown);
  assert.isFalse(feed.tail.value.on);
});
