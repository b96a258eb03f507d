// What became of a run's points, in sentences. Knows nothing of the DOM.
import { clock, count, many } from '../lib/format';
import type { Detail, Reason, Restart, Run } from './run';

type Range = Detail['ranges'][number];
type Loss = Detail['losses'][number];

const seconds = (text: string | null) => (text === null ? null : Date.parse(text) / 1000);

// "at 2026-11-30 14:03:05", "from ... to ..."; empty if nothing is known.
export function timeOf(first: string | null, last: string | null): string {
  const [from, to] = [seconds(first), seconds(last)];
  if (from === null || !Number.isFinite(from)) return '';
  const [begin, end] = [clock(from), clock(to ?? from)];
  if (begin === end) return `at ${begin}`;
  return `from ${begin} to ${end.slice(0, 10) === begin.slice(0, 10) ? end.slice(11) : end}`;
}

// After "were dropped".
export function because({ stage, reason, plugin }: { stage: string; reason: string; plugin?: string | undefined }): string {
  const who = plugin === undefined || plugin === '' ? 'a plugin' : `the plugin ${plugin}`;
  if (stage === 'plugin') {
    if (reason === 'filtered') return `by ${who}, which filters them out`;
    if (reason === 'unchanged') return `by ${who}, because their values had not changed`;
    if (reason === 'rate_limited') return `by ${who}, because more ticks came than it lets pass`;
    if (reason === 'failed') return `because ${who} failed on them`;
    if (reason === 'cardinality') return `because ${who} added more series than it may`;
    return `by ${who} (${reason})`;
  }
  const known: Record<string, string> = {
    'collect/cardinality': 'because the agent has as many series as it may have', 'collect/too_large': 'because they fit into no batch', 'collect/invalid': 'because no server accepts their series',
    'queue/overflow': 'because the plugins were slower than the ticks', 'spool/full': 'because the spool was full', 'spool/too_old': 'because they had waited longer than the spool keeps batches',
    'spool/damaged': 'because the spool\'s file was damaged there', 'spool/too_large': 'because the batch is larger than the spool may be',
    'uplink/invalid': 'because the agent\'s output cannot deliver the batch', 'uplink/too_large': 'because the batch is too large for the agent\'s output',
    'server/invalid': 'because the server rejected the batch as invalid', 'server/too_large': 'because the server rejected the batch as too large',
  };
  return known[`${stage}/${reason}`] ?? `at the stage ${stage}: ${reason}`;
}

export const sequences = (first: number, last: number) => (first === last ? `batch ${count(first)}` : `batches ${count(first)} to ${count(last)}`);

const are = (n: number) => (n === 1 ? 'is' : 'are');
const were = (n: number) => (n === 1 ? 'was' : 'were');
const points = (range: Range) => (range.points === null ? many(range.batches, 'batch', 'batches') : many(range.points, 'point'));
const size = (range: Range) => range.points ?? range.batches;

export function rangeWords(range: Range, agent: string): string {
  const where = sequences(range.first, range.last);
  const n = size(range);
  switch (range.kind) {
    case 'dropped': {
      const when = timeOf(range.first_time, range.last_time);
      return `${points(range)} of ${agent}${when === '' ? '' : `, taken ${when},`} ${were(n)} dropped ${because(range)} (${where}).`;
    }
    case 'missing': {
      const since = seconds(range.since);
      return `${points(range)} of ${agent} ${are(n)} missing${since === null ? '' : ` since ${clock(since)}`}: made, neither stored nor dropped, and no longer at the agent (${where}).`;
    }
    case 'waiting': return `${points(range)} of ${agent} ${are(n)} expected: at the agent or on the way (${where}).`;
    case 'elsewhere': return `${points(range)} of ${agent} went to another metric log, whose ledger accounts for them (${where}).`;
    case 'expired': return `${points(range)} of ${agent} may have been in a part of the log that its retention deleted before it was read (${where}).`;
    case 'unread': return `${points(range)} of ${agent} are older than the part of the log that this ledger has read: nothing is known of them (${where}).`;
    default: return `${many(range.batches, 'batch', 'batches')} of ${agent} ${are(range.batches)} stored (${where}).`;
  }
}

export function lossWords(loss: Loss, agent: string): string {
  const when = timeOf(loss.first_time, loss.last_time);
  const ticks = loss.ticks > 0 ? ` in ${many(loss.ticks, 'whole tick')}` : '';
  return `${many(loss.points, 'point')}${ticks} of ${agent}${when === '' ? '' : `, taken ${when},`} ${were(loss.points)} dropped ${because(loss)}.`;
}

export function reasonWords(reason: Reason): string {
  const when = timeOf(reason.first, reason.last);
  return `${many(reason.points, 'point')}${when === '' ? '' : `, taken ${when},`} ${were(reason.points)} dropped ${because(reason)}. ${reason.runs === 1 ? 'One run is' : `${count(reason.runs)} runs are`} concerned.`;
}

const ENDS: Record<Run['end'], (run: Run) => string> = {
  running: () => 'The run goes on.',
  stopped: () => 'The run ended in order.',
  unclean: (run) => `The run was killed. What it made after batch ${count(run.last_sequence)} and had not yet written to disk is not known.`,
  unknown: (run) => `Nothing arrived for 30 s, and no end was reported: what the run made after batch ${count(run.last_sequence)} is not known.`,
};

// What one should know of a run before one trusts its sums.
export function runWords(run: Run, restart: Restart): string[] {
  const found = [`${restart.of > 1 ? `Run ${restart.number} of ${restart.of} that the ledger knows of ${run.agent}. ` : ''}${ENDS[run.end](run)}`];
  if (run.sums.unread.batches > 0) found.push(`The ledger began in the middle of this run: what became of its first ${many(run.sums.unread.batches, 'batch', 'batches')} is not known here.`);
  if (run.duplicates > 0) found.push(`${many(run.duplicates, 'copy', 'copies')} of batches ${are(run.duplicates)} in the log as well; readers ignore them, and they count once.`);
  if (run.conflicts > 0) found.push(`${many(run.conflicts, 'record')} contradict${run.conflicts === 1 ? 's' : ''} this run and do${run.conflicts === 1 ? 'es' : ''} not count: somebody else may write under this id.`);
  if (run.conflict) found.push('Another run of the same id was alive at the same time.');
  if (run.outlived_end) found.push('Batches are stored above the one at which the run is said to have ended.');
  if (run.ticks_missed > 0) found.push(`${many(run.ticks_missed, 'tick')} ${were(run.ticks_missed)} not read at all, because the agent was late: nothing was made of them.`);
  const unplaced = run.dropped.filter((drop) => drop.unplaced === true).reduce((sum, drop) => sum + drop.batches, 0);
  if (unplaced > 0) found.push(`The agent dropped ${many(unplaced, 'more batch', 'more batches')} without knowing which ${unplaced === 1 ? 'one' : 'ones'}, perhaps of an earlier run: ${unplaced === 1 ? 'it is' : 'they are'} in no sum.`);
  if (run.sums.estimated) found.push('The points of some batches with different outcomes are known only together, and are divided among them by their number.');
  if (run.other_logs.length > 0) found.push(`The other metric log: ${run.other_logs.join(', ')}.`);
  return found;
}
