// The log itself: its partitions and readers, asked for every few seconds, and how fast it grows.
import { signal } from '@preact/signals';
import { ask } from '../lib/api';
import type { Log } from './api';

const EVERY = 3000;  // milliseconds

export interface Reader { name: string; own: boolean; partitions: { partition: number; next: number; lag: number }[]; lag: number }

// The consumer groups, and this page's own reader as the first one.
export function readersOf(log: Log): Reader[] {
  const groups = new Map<string, Reader>();
  for (const { group, ...position } of log.groups) {
    const reader = groups.get(group) ?? { name: group, own: false, partitions: [], lag: 0 };
    reader.partitions.push(position);
    reader.lag += position.lag;
    groups.set(group, reader);
  }
  const own: Reader = { name: 'This page’s server', own: true, partitions: log.reader, lag: log.reader.reduce((sum, one) => sum + one.lag, 0) };
  return [own, ...groups.values()];
}

export interface Totals { records: number; bytes: number | null; exact: boolean; oldest: number | null; newest: number | null }

// `exact`: the log tells its size on disk. Otherwise it is estimated from the messages that were read, before compression.
export function totalsOf(log: Log): Totals {
  const records = log.partitions.reduce((sum, one) => sum + one.records, 0);
  const exact = log.partitions.every((one) => one.bytes !== null);
  const sizes = log.partitions.map(bytesOf);
  const times = (name: 'oldest' | 'newest') => log.partitions.map((one) => one[name]).filter((one): one is number => one !== null);
  const [oldest, newest] = [times('oldest'), times('newest')];
  return {
    records, exact,
    bytes: sizes.some((one) => one === null) ? null : sizes.reduce<number>((sum, one) => sum + one!, 0),
    oldest: oldest.length === 0 ? null : Math.min(...oldest), newest: newest.length === 0 ? null : Math.max(...newest),
  };
}

export function bytesOf(partition: Log['partitions'][number]): number | null {
  if (partition.records === 0) return partition.bytes ?? 0;
  return partition.bytes ?? (partition.mean_bytes === null ? null : partition.mean_bytes * partition.records);
}

// Messages a second between two answers; null: not known, or the log was replaced.
export function growthOf(before: { at: number; log: Log } | null, now: { at: number; log: Log }): number | null {
  if (before === null || now.at <= before.at) return null;
  const ends = (log: Log) => log.partitions.reduce((sum, one) => sum + one.end, 0);
  const grown = ends(now.log) - ends(before.log);
  return grown < 0 ? null : (grown * 1000) / (now.at - before.at);
}

export class LogStore {
  readonly log = signal<Log | null>(null);
  readonly growth = signal<number | null>(null);
  readonly fault = signal('');
  readonly replaced = signal(0);  // how often another log was found in its place
  private past: { at: number; log: Log }[] = [];
  private timer = 0;

  start(): void {
    void this.load();
    this.timer = window.setInterval(() => { if (!document.hidden) void this.load(); }, EVERY);
  }
  stop(): void {
    clearInterval(this.timer);
  }

  async load(): Promise<void> {
    try {
      const log = await ask<Log>('/log');
      const now = { at: performance.now(), log };
      const last = this.past[this.past.length - 1] ?? null;
      if (last !== null && growthOf(last, now) === null) {
        this.past = [];
        ++this.replaced.value;
      }
      this.past = [...this.past.slice(-9), now];
      this.growth.value = growthOf(this.past.length > 1 ? this.past[0]! : null, now);
      this.log.value = log;
      this.fault.value = '';
    } catch (error) {
      this.fault.value = (error as Error).message;
    }
  }
}
