// The list of messages: loads what is searched for, goes on in both directions, and follows the log. Views read its
// signals. Nothing is left out silently: what was not examined, skipped or released is counted.
import { signal } from '@preact/signals';
import type { Parameters } from '../lib/api';
import type { Found, Message } from './api';
import { between, cursorOf, merged, messageOf, offsetsOf, trimmed } from './list';
import type { Plan } from './search';

export type AskFound = (parameters: Parameters) => Promise<Found>;

const PAGE = 60;
const BEFORE = 15;             // messages before a moment or an offset
const AT_ONCE = 200;           // messages of one answer while following
const EVERY = 1000;            // milliseconds between questions while following
export const MOST_ROWS = 5000;
export const MOST_BEHIND = 5000;  // beyond, the tail goes to the end of the log

export interface Progress { lookedAt: number; left: number; busy: boolean; stopped: boolean }
// `skipped`: records of the log that were not examined; `gone`: deleted by retention before they were; `released`: rows that
// left the list.
export interface Tail { on: boolean; paused: boolean; skipped: number; gone: number; released: number; fault: string }

const IDLE: Progress = { lookedAt: 0, left: 0, busy: false, stopped: false };
const NO_TAIL: Tail = { on: false, paused: false, skipped: 0, gone: 0, released: 0, fault: '' };

export class Feed {
  readonly rows = signal<Message[]>([]);
  readonly progress = signal<Progress>(IDLE);
  readonly tail = signal<Tail>(NO_TAIL);
  readonly fault = signal('');
  readonly older = signal<string | null>(null);  // cursors; null: there is nothing more
  readonly newer = signal<string | null>(null);
  readonly place = signal<string | null>(null);  // up to where the tail has read
  readonly marked = signal<{ id: string; off: number } | null>(null);
  readonly loaded = signal(false);
  private filters: Parameters = {};
  private turn = 0;
  private closed = false;

  constructor(
    private readonly ask: AskFound,
    private readonly sleep: (milliseconds: number) => Promise<void>,
    private readonly hidden: () => boolean,
  ) {}

  // Shows another search. Returns when its first page is there; false: another search or the end of the view came before.
  async show(plan: Plan, tail: boolean): Promise<boolean> {
    if (this.closed) return false;
    const mine = ++this.turn;
    this.rows.value = [];
    this.older.value = this.newer.value = this.place.value = this.marked.value = null;
    this.tail.value = NO_TAIL;
    this.fault.value = '';
    this.loaded.value = false;
    this.progress.value = IDLE;
    if (plan.mode === 'fault') return true;
    this.filters = { ...plan.filters, content: 'summary' };
    await this.guarded(mine, () => this.load(mine, plan));
    if (mine !== this.turn) return false;
    if (!tail || plan.mode !== 'newest' || this.place.value === null) return true;
    this.tail.value = { ...NO_TAIL, on: true };
    void this.follow(mine);
    return true;
  }

  async goOlder(): Promise<void> {
    const mine = this.turn;
    this.progress.value = { ...IDLE, busy: true };
    await this.guarded(mine, () => this.down(mine, this.older.value, PAGE));
  }
  async goNewer(): Promise<void> {
    const mine = this.turn;
    this.progress.value = { ...IDLE, busy: true };
    await this.guarded(mine, () => this.up(mine, {}, this.newer.value, PAGE));
  }
  // Ends a search that goes on through the log; it can be continued.
  stop(): void {
    if (this.progress.value.busy) this.progress.value = { ...this.progress.value, busy: false, stopped: true };
  }
  setPaused(paused: boolean): void {
    this.tail.value = { ...this.tail.value, paused };
  }
  // For good: a view that is left follows nothing.
  close(): void {
    this.closed = true;
    ++this.turn;
  }

  private async guarded(mine: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (mine === this.turn) this.fault.value = (error as Error).message;
    }
    if (mine !== this.turn) return;
    this.loaded.value = true;
    this.progress.value = { ...this.progress.value, busy: false };
  }

  private async load(mine: number, plan: Exclude<Plan, { mode: 'fault' }>): Promise<void> {
    this.progress.value = { ...IDLE, busy: true };
    if (plan.mode === 'newest') return this.down(mine, null, PAGE);
    if (plan.mode === 'offset') {
      await this.up(mine, { offset: plan.offset }, null, PAGE - BEFORE);
      if (plan.offset > 0) await this.down(mine, `${plan.partition}:${plan.offset}`, BEFORE);
      if (mine === this.turn) this.marked.value = { id: `${plan.partition}:${plan.offset}`, off: 0 };
      return undefined;
    }
    const { from, width } = plan.moment;
    const since = Math.max(from, Number(plan.filters['since'] ?? 0)).toFixed(6);
    const ticks = plan.mode === 'late' ? { tick_since: from.toFixed(6), tick_until: (from + width).toFixed(6) } : {};
    Object.assign(this.filters, ticks);
    await this.up(mine, { since }, null, PAGE - BEFORE);
    if (plan.mode === 'around') await this.down(mine, null, BEFORE, { until: Math.min(from, Number(plan.filters['until'] ?? from)).toFixed(6) });
    if (mine === this.turn) this.marked.value = messageOf(this.rows.value, plan.moment);
    return undefined;
  }

  private take(found: Found): void {
    this.rows.value = merged(this.rows.value, found.messages);
    const { lookedAt, ...progress } = this.progress.value;
    this.progress.value = { ...progress, lookedAt: lookedAt + found.looked_at, left: found.left };
  }
  private goesOn(mine: number): boolean {
    return mine === this.turn && this.progress.value.busy;
  }

  // Each answer covers a part of the log: goes on until `many` are found or nothing is left.
  private async down(mine: number, cursor: string | null, many: number, first: Parameters = {}): Promise<void> {
    let found = 0;
    this.older.value = cursor;
    do {
      const answer = await this.ask({ ...this.filters, ...first, cursor: this.older.value ?? undefined, limit: many - found });
      if (mine !== this.turn) return;
      this.older.value = answer.cursor;
      if (answer.follow !== null && this.newer.value === null) this.place.value = answer.follow;
      found += answer.messages.length;
      this.take(answer);
    } while (this.goesOn(mine) && this.older.value !== null && found < many);
  }

  private async up(mine: number, first: Parameters, cursor: string | null, many: number): Promise<void> {
    let found = 0;
    this.newer.value = cursor;
    let left = 0;
    do {
      const answer = await this.ask({ ...this.filters, ...(this.newer.value === null ? first : {}), order: 'oldest', cursor: this.newer.value ?? undefined, limit: many - found });
      if (mine !== this.turn) return;
      this.newer.value = answer.cursor;
      left = answer.left;
      found += answer.messages.length;
      this.take(answer);
    } while (this.goesOn(mine) && left > 0 && found < many);
  }

  private async follow(mine: number): Promise<void> {
    while (mine === this.turn) {
      let rest = EVERY;
      if (!this.tail.value.paused && !this.hidden()) {
        try {
          const left = await this.followOnce(mine);
          if (mine !== this.turn) return;
          if (left > 0) rest = 0;
          if (this.tail.value.fault !== '') this.tail.value = { ...this.tail.value, fault: '' };
        } catch (error) {
          if (mine === this.turn) this.tail.value = { ...this.tail.value, fault: (error as Error).message };
        }
      }
      await this.sleep(rest);
    }
  }

  // Returns how many records are left to examine.
  private async followOnce(mine: number): Promise<number> {
    const answer = await this.ask({ ...this.filters, order: 'oldest', cursor: this.place.value ?? undefined, limit: AT_ONCE });
    if (mine !== this.turn) return 0;
    const passed = between(offsetsOf(this.place.value), offsetsOf(answer.cursor));
    this.place.value = answer.cursor;
    if (passed > answer.looked_at) this.tail.value = { ...this.tail.value, gone: this.tail.value.gone + passed - answer.looked_at };
    const kept = trimmed(merged(this.rows.value, answer.messages), MOST_ROWS, this.older.value);
    this.rows.value = kept.shown;
    this.older.value = kept.older;
    if (kept.released > 0) this.tail.value = { ...this.tail.value, released: this.tail.value.released + kept.released };
    if (answer.left <= MOST_BEHIND) return answer.left;
    await this.jump(mine);
    return 0;
  }

  // More arrives than can be shown: goes to the end of the log, and counts what lies between.
  private async jump(mine: number): Promise<void> {
    const { follow } = await this.ask({ ...this.filters, limit: 1, kind: undefined, metric: undefined });
    if (mine !== this.turn) return;
    const from = offsetsOf(this.place.value);
    const to = offsetsOf(follow);
    this.place.value = cursorOf(new Map([...from, ...to]));
    this.tail.value = { ...this.tail.value, skipped: this.tail.value.skipped + between(from, to) };
  }
}
