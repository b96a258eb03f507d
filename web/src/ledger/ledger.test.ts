import { describe, expect, it } from 'vitest';
import { settings } from '../state/settings';
import { choiceOf, parametersOf } from './choice';
import { columnsOf, FIRST, sorted } from './columns';
import { pictureOf, stagesOf, titleOf, widthOf } from './flow';
import { difference, hasReason, keyOf, PARTS, reasonsOf, restartsOf, totalsOf, unplacedOf, type Drop, type Run } from './run';
import { because, lossWords, rangeWords, reasonWords, runWords, timeOf } from './words';

settings.zone.value = 'utc';

// Numbers that look random, and are the same each time.
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

const zero = () => ({ batches: 0, points: 0 });

function runOf(given: Partial<Run> = {}): Run {
  return {
    agent: 'a', incarnation: '00', host: 'h', first_sequence: 1, last_sequence: 9, batches_stored: 9, duplicates: 0, dropped: [], missing: [], elsewhere: [], other_logs: [], expired: [], ticks_due: 0, ticks_missed: 0,
    points_made: 0, points_stored: 0, clean: null, end: 'running', unknown_tail: false, waiting: [], ticks_stored: 0, late: 0, conflict: false, conflicts: 0, conflict_examples: [], outlived_end: false, first_time: null, last_time: null, unread: [],
    sums: { made: zero(), stored: zero(), dropped: zero(), waiting: zero(), missing: zero(), elsewhere: zero(), expired: zero(), unread: zero(), estimated: false }, ...given,
  };
}

const dropOf = (given: Partial<Drop>): Drop => ({ stage: 'spool', reason: 'full', batches: 0, points: 0, ticks: 0, first_time: null, last_time: null, ...given });

const KINDS: Pick<Drop, 'stage' | 'reason' | 'plugin'>[] = [{ stage: 'plugin', reason: 'filtered', plugin: 'f' }, { stage: 'plugin', reason: 'failed', plugin: 'odd' }, { stage: 'spool', reason: 'full' }, { stage: 'collect', reason: 'cardinality' }, { stage: 'server', reason: 'invalid' }];

// A run whose parts add up, as the server gives them.
function randomRun(random: (below: number) => number, i: number): Run {
  const run = runOf({ agent: `a-${random(20)}`, incarnation: String(i) });
  for (const kind of KINDS) if (random(2) === 1) run.dropped.push(dropOf({ ...kind, points: random(500), batches: kind.stage === 'spool' || kind.stage === 'server' ? random(9) : 0 }));
  for (const part of PARTS) run.sums[part] = { batches: random(3) === 0 ? random(50) : 0, points: random(3) === 0 ? random(5000) : 0 };
  run.sums.dropped = { batches: run.dropped.reduce((sum, one) => sum + one.batches, 0), points: run.dropped.reduce((sum, one) => sum + one.points, 0) };
  for (const unit of ['batches', 'points'] as const) run.sums.made[unit] = PARTS.reduce((sum, part) => sum + run.sums[part][unit], 0);
  return run;
}

describe('sums', () => {
  it('add up for every fleet, in both units, and so do reasons and the picture', () => {
    const random = generator(7);
    for (let round = 0; round < 300; ++round) {
      const runs = Array.from({ length: random(12) }, (_, i) => randomRun(random, i));
      for (const unit of ['points', 'batches'] as const) {
        const totals = totalsOf(runs, unit);
        expect(difference(totals)).toBe(0);
        const reasons = reasonsOf(runs);
        expect(reasons.reduce((sum, one) => sum + one[unit], 0)).toBe(totals.dropped);
        const stages = stagesOf(totals, reasons, unit);
        const exits = stages.flatMap((one) => one.exits);
        expect(exits.reduce((sum, one) => sum + one.value, 0) + totals.stored, 'what leaves and what is stored is all').toBe(totals.made);
        const picture = pictureOf(totals, stages, 960);
        expect(picture.labels.map((one) => one.exit.value).reduce((a, b) => a + b, 0)).toBe(totals.made - totals.stored);
        expect(picture.bands.every((one) => !one.path.includes('NaN'))).toBe(true);
        for (const a of picture.labels) {
          const over = picture.labels.filter((b) => b !== a && Math.abs(a.y - b.y) < 20 && b.x > a.x && a.x + widthOf(a.exit) > b.x);
          expect(over.map((b) => `${a.exit.title} is over ${b.exit.title}`)).toEqual([]);
        }
      }
    }
  });

  it('show what an agent counts wrongly instead of hiding it', () => {
    const run = runOf();
    run.sums.made.points = 10;
    run.sums.stored.points = 7;
    expect(difference(totalsOf([run], 'points'))).toBe(3);
    run.sums.stored.points = 12;
    expect(difference(totalsOf([run], 'points'))).toBe(-2);
  });

  it('name reasons by stage, reason and plugin', () => {
    const runs = [runOf({ incarnation: '1', dropped: [dropOf({ ...KINDS[0]!, points: 3, first_time: '2026-11-30T14:00:00Z', last_time: '2026-11-30T14:01:00Z' })] }), runOf({ incarnation: '2', dropped: [dropOf({ ...KINDS[0]!, points: 4, first_time: '2026-11-30T13:00:00Z', last_time: null })] })];
    const [reason] = reasonsOf(runs);
    expect(reason).toMatchObject({ key: 'plugin/filtered/f', points: 7, runs: 2, first: '2026-11-30T13:00:00Z', last: '2026-11-30T14:01:00Z' });
    expect(keyOf({ stage: 'spool', reason: 'full' })).toBe('spool/full');
    expect(hasReason(runs[0]!, 'plugin/filtered/f')).toBe(true);
    expect(hasReason(runs[0]!, 'missing')).toBe(false);
    expect(reasonWords(reason!)).toBe('7 points, taken from 2026-11-30 13:00:00 to 14:01:00, were dropped by the plugin f, which filters them out. 2 runs are concerned.');
  });

  it('leave out batches of which only the number is known', () => {
    const run = runOf({ dropped: [dropOf({ reason: 'damaged', batches: 2, unplaced: true })] });
    expect(reasonsOf([run])).toEqual([]);
    expect(unplacedOf([run])).toBe(2);
    expect(hasReason(run, 'spool/damaged')).toBe(false);
    expect(runWords(run, { number: 1, of: 1 })[1]).toBe('The agent dropped 2 more batches without knowing which ones, perhaps of an earlier run: they are in no sum.');
  });

  it('count the runs of an agent', () => {
    const found = restartsOf([runOf({ incarnation: '1' }), runOf({ incarnation: '2', agent: 'b' }), runOf({ incarnation: '3' })]);
    expect(found.get('3')).toEqual({ number: 2, of: 2 });
    expect(found.get('2')).toEqual({ number: 1, of: 1 });
  });
});

describe('picture', () => {
  it('has bands by share, and none that vanishes', () => {
    const totals = { made: 1_000_000, stored: 499_999, waiting: 0, dropped: 500_000, missing: 1, elsewhere: 0, expired: 0, unread: 0 };
    const reasons = reasonsOf([runOf({ dropped: [dropOf({ ...KINDS[0]!, points: 500_000 })] })]);
    const picture = pictureOf(totals, stagesOf(totals, reasons, 'points'), 1000);
    expect(picture.labels.map((one) => [one.exit.title, one.exit.value])).toEqual([['filtered by f', 500_000], ['missing', 1]]);
    const [made, , , , stored] = picture.nodes;
    expect(stored!.height / made!.height).toBeCloseTo(0.5, 1);
    expect(picture.nodes.map((one) => one.name)).toEqual(['Made', 'Plugins', 'Spool', 'Log', 'Stored']);
  });

  it('puts many reasons of a stage together', () => {
    const dropped = Array.from({ length: 9 }, (_, i) => dropOf({ stage: 'plugin', reason: 'filtered', plugin: `f${i}`, points: 10 + i }));
    const runs = [runOf({ dropped })];
    const totals = { ...totalsOf(runs, 'points'), made: 126, dropped: 126 };
    const [plugins] = stagesOf(totals, reasonsOf(runs), 'points');
    expect(plugins!.exits.length).toBe(5);
    expect(plugins!.exits.at(-1)).toMatchObject({ key: '', title: '5 other reasons', value: 60 });
    expect(titleOf({ stage: 'server', reason: 'invalid', plugin: '' })).toBe('invalid at server');
  });
});

describe('words', () => {
  const range = { kind: 'dropped' as const, first: 3, last: 4, batches: 2, points: 12, stage: 'spool', reason: 'full', first_time: '2026-11-30T14:03:05Z', last_time: '2026-11-30T14:03:05.4Z', since: null };

  it('say what was dropped, when and why', () => {
    expect(rangeWords(range, 'web-3')).toBe('12 points of web-3, taken at 2026-11-30 14:03:05, were dropped because the spool was full (batches 3 to 4).');
    expect(rangeWords({ ...range, points: 1, last: 3 }, 'web-3')).toContain('1 point of web-3, taken at 2026-11-30 14:03:05, was dropped');
    expect(rangeWords({ ...range, kind: 'missing', stage: '', reason: '', first_time: null, since: '2026-11-30T14:05:00Z', points: null }, 'web-3')).toBe('2 batches of web-3 are missing since 2026-11-30 14:05:00: made, neither stored nor dropped, and no longer at the agent (batches 3 to 4).');
    expect(lossWords({ stage: 'plugin', reason: 'failed', plugin: 'odd', ticks: 1, points: 40, first_time: '2026-11-30T14:03:05Z', last_time: null }, 'web-3')).toBe('40 points in 1 whole tick of web-3, taken at 2026-11-30 14:03:05, were dropped because the plugin odd failed on them.');
  });

  it('know every stage and reason of the documentation', () => {
    const all = ['collect/cardinality', 'collect/too_large', 'collect/invalid', 'queue/overflow', 'plugin/filtered', 'plugin/unchanged', 'plugin/rate_limited', 'plugin/failed', 'plugin/cardinality', 'spool/full', 'spool/too_old', 'spool/damaged', 'spool/too_large', 'uplink/invalid', 'uplink/too_large', 'server/invalid', 'server/too_large'];
    for (const [stage, reason] of all.map((one) => one.split('/') as [string, string])) expect(because({ stage, reason }), `${stage}/${reason}`).toMatch(/^(because|by a plugin, )/);
    expect(because({ stage: 'new', reason: 'odd' })).toBe('at the stage new: odd');
    expect(timeOf(null, null)).toBe('');
  });

  it('say what is not known', () => {
    const run = runOf({ end: 'unclean', duplicates: 2, last_sequence: 41 });
    run.sums.unread = { batches: 200, points: 0 };
    const said = runWords(run, { number: 2, of: 3 }).join(' ');
    expect(said).toContain('Run 2 of 3 that the ledger knows of a. The run was killed. What it made after batch 41');
    expect(said).toContain('The ledger began in the middle of this run: what became of its first 200 batches is not known here.');
    expect(said).toContain('2 copies of batches are in the log as well');
    expect(runWords(runOf(), { number: 1, of: 1 })).toEqual(['The run goes on.']);
  });
});

describe('table', () => {
  it('puts what is missing first, and sorts by any column', () => {
    const bad = runOf({ agent: 'load-10', incarnation: '1' });
    bad.sums.missing.batches = 1;
    const runs = [runOf({ agent: 'load-2', incarnation: '2' }), bad, runOf({ agent: 'load-1', incarnation: '3' })];
    expect(sorted(runs, { key: '', down: false }, 'points').map((one) => one.agent)).toEqual(['load-10', 'load-1', 'load-2']);
    expect(sorted(runs, { key: 'agent', down: false }, 'points').map((one) => one.agent)).toEqual(['load-1', 'load-2', 'load-10']);
    expect(sorted(runs, { key: 'missing', down: true }, 'batches')[0]!.agent).toBe('load-10');
  });

  it('keeps the chosen columns in their order', () => {
    expect(columnsOf(null)).toEqual(FIRST);
    expect(columnsOf('missing,made,nonsense')).toEqual(['made', 'missing']);
    expect(columnsOf('nonsense')).toEqual(FIRST);
  });

  it('has its choice in the address', () => {
    const parameters = { agent: 'web-*', unit: 'batches', reason: 'plugin/filtered/f', sort: 'missing', order: 'down', run: 'ab' };
    expect(parametersOf(choiceOf(new URLSearchParams(parameters)))).toEqual(parameters);
    expect(parametersOf(choiceOf(new URLSearchParams()))).toEqual({});
  });
});
