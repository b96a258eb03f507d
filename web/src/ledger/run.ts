// The runs of the ledger, and amounts over several of them. Knows nothing of the DOM.
import type { Answer } from '../lib/api';

export type Ledger = Answer<'/api/ui/v1/ledger'>;
export type Run = Ledger['incarnations'][number];
export type Drop = Run['dropped'][number];
export type Detail = Answer<'/api/ui/v1/ledger/run'>;
export type Unit = 'points' | 'batches';

// The outcomes of what was made, in the order in which they are shown.
export const PARTS = ['stored', 'waiting', 'dropped', 'missing', 'elsewhere', 'expired', 'unread'] as const;
export type Part = (typeof PARTS)[number];
export type Totals = Record<Part | 'made', number>;

export const PART_WORDS: Record<Part, string> = {
  stored: 'stored', waiting: 'waiting', dropped: 'dropped', missing: 'missing', elsewhere: 'in another log', expired: 'expired', unread: 'not read',
};

export function amount(run: Run, part: Part | 'made', unit: Unit): number {
  return run.sums[part][unit];
}

export function totalsOf(runs: Run[], unit: Unit): Totals {
  const totals: Totals = { made: 0, stored: 0, waiting: 0, dropped: 0, missing: 0, elsewhere: 0, expired: 0, unread: 0 };
  for (const run of runs) {
    totals.made += run.sums.made[unit];
    for (const part of PARTS) totals[part] += run.sums[part][unit];
  }
  return totals;
}

// What the parts do not explain; negative if they are more than was made. 0 unless an agent's own counters are wrong.
export function difference(totals: Totals): number {
  return totals.made - PARTS.reduce((sum, part) => sum + totals[part], 0);
}

export interface Reason { key: string; stage: string; reason: string; plugin: string; points: number; batches: number; ticks: number; runs: number; first: string | null; last: string | null }

// "plugin/filtered/NAME", as in the address.
export function keyOf({ stage, reason, plugin }: Pick<Drop, 'stage' | 'reason' | 'plugin'>): string {
  return [stage, reason, ...(plugin === undefined || plugin === '' ? [] : [plugin])].join('/');
}

const earlier = (a: string | null, b: string | null) => (a === null || (b !== null && b < a) ? b : a);
const later = (a: string | null, b: string | null) => (a === null || (b !== null && b > a) ? b : a);

export function reasonsOf(runs: Run[]): Reason[] {
  const found = new Map<string, Reason>();
  for (const run of runs) {
    for (const drop of run.dropped) {
      if (drop.unplaced === true) continue;
      const key = keyOf(drop);
      const reason = found.get(key) ?? { key, stage: drop.stage, reason: drop.reason, plugin: drop.plugin ?? '', points: 0, batches: 0, ticks: 0, runs: 0, first: null, last: null };
      reason.points += drop.points;
      reason.batches += drop.batches;
      reason.ticks += drop.ticks;
      reason.runs += 1;
      reason.first = earlier(reason.first, drop.first_time);
      reason.last = later(reason.last, drop.last_time);
      found.set(key, reason);
    }
  }
  return [...found.values()].sort((a, b) => b.points - a.points || a.key.localeCompare(b.key));
}

// Batches that are in no sum, because only their number is known.
export function unplacedOf(runs: Run[]): number {
  return runs.reduce((sum, run) => sum + run.dropped.reduce((own, drop) => own + (drop.unplaced === true ? drop.batches : 0), 0), 0);
}

// Whether a run has something of what a key of the picture names: a reason of drops, or another outcome.
export function hasReason(run: Run, key: string): boolean {
  const part = PARTS.find((one) => one === key);
  if (part !== undefined) return run.sums[part].batches > 0 || run.sums[part].points > 0;
  return run.dropped.some((drop) => drop.unplaced !== true && keyOf(drop) === key);
}

export interface Restart { number: number; of: number }

// Which of its agent's runs a run is, from 1. Runs are in the order of their starts.
export function restartsOf(runs: Run[]): Map<string, Restart> {
  const byAgent = new Map<string, Run[]>();
  for (const run of runs) byAgent.set(run.agent, [...(byAgent.get(run.agent) ?? []), run]);
  const found = new Map<string, Restart>();
  for (const own of byAgent.values()) own.forEach((run, i) => found.set(run.incarnation, { number: i + 1, of: own.length }));
  return found;
}
