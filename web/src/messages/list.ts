// The messages that are shown, newest first, and places in the log. Knows nothing of the DOM.
import { idOf, type Message } from './api';
import type { Moment } from './times';

export type Offsets = Map<number, number>;  // by partition

export function offsetsOf(cursor: string | null): Offsets {
  return new Map((cursor ?? '').split(',').filter((part) => part !== '').map((part) => part.split(':').map(Number) as [number, number]));
}
export function cursorOf(offsets: Offsets): string | null {
  return offsets.size === 0 ? null : [...offsets].sort(([a], [b]) => a - b).map(([partition, offset]) => `${partition}:${offset}`).join(',');
}
// How many offsets lie between two places.
export function between(from: Offsets, to: Offsets): number {
  let sum = 0;
  for (const [partition, end] of to) sum += Math.max(0, end - (from.get(partition) ?? end));
  return sum;
}

const before = (a: Message, b: Message) => b.time - a.time || a.partition - b.partition || b.offset - a.offset;

// Adds those that are not there. Partitions may have been read to different times, so that the order is that of time.
export function merged(shown: Message[], more: Message[]): Message[] {
  const known = new Set(shown.map(idOf));
  const fresh = more.filter((one) => !known.has(idOf(one)));
  return fresh.length === 0 ? shown : [...shown, ...fresh].sort(before);
}

// Keeps the newest `most`. The others are found again from `older` on, a cursor towards older messages.
export function trimmed(shown: Message[], most: number, older: string | null): { shown: Message[]; older: string | null; released: number } {
  if (shown.length <= most) return { shown, older, released: 0 };
  const offsets = offsetsOf(older);
  for (const one of shown.slice(most)) offsets.set(one.partition, Math.max(offsets.get(one.partition) ?? 0, one.offset + 1));
  return { shown: shown.slice(0, most), older: cursorOf(offsets), released: shown.length - most };
}

// How far the ticks of a message are from a moment, in seconds; 0: a tick may be in it.
function distance(message: Message, { from, width }: Moment): number {
  const [first, last] = [message.first_tick ?? message.time, message.last_tick ?? message.time];
  if (first < from + width && last >= from) return 0;
  return last < from ? from - last : first - from - width;
}

// The message of a moment: with a tick in it, or else the nearest one. The first of several.
export function messageOf(shown: Message[], moment: Moment): { id: string; off: number } | null {
  let best: { id: string; off: number } | null = null;
  for (const one of shown) {
    const off = distance(one, moment);
    if (best === null || off <= best.off) best = { id: idOf(one), off };
  }
  return best;
}
