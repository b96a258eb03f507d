// The columns of the ledger's table, and which of them the user has chosen. Knows nothing of the DOM.
import { clock, count } from '../lib/format';
import { amount, type Part, type Run, type Unit } from './run';

export interface Column { key: string; head: string; numeric: boolean; sort: (run: Run, unit: Unit) => number | string; text: (run: Run, unit: Unit) => string; explain: string }

const part = (key: Part | 'made', head: string, explain: string): Column => ({ key, head, numeric: true, sort: (run, unit) => amount(run, key, unit), text: (run, unit) => count(amount(run, key, unit)), explain });
const number = (key: 'duplicates' | 'conflicts' | 'late' | 'ticks_due' | 'ticks_missed' | 'ticks_stored', head: string, explain: string): Column => ({ key, head, numeric: true, sort: (run) => run[key], text: (run) => count(run[key]), explain });
const time = (key: 'first_time' | 'last_time', head: string, explain: string): Column => ({ key, head, numeric: false, sort: (run) => run[key] ?? '', text: (run) => (run[key] === null ? '–' : clock(Date.parse(run[key]!) / 1000)), explain });

export const END_WORDS: Record<Run['end'], string> = { running: 'running', stopped: 'stopped', unclean: 'killed', unknown: 'unknown' };

// Always shown, at the left edge.
export const FROZEN: Column[] = [
  { key: 'agent', head: 'Agent', numeric: false, sort: (run) => run.agent, text: (run) => run.agent, explain: 'the agent\'s id' },
  { key: 'state', head: 'State', numeric: false, sort: (run) => END_WORDS[run.end], text: (run) => END_WORDS[run.end], explain: 'whether this run goes on' },
];

export const COLUMNS: Column[] = [
  part('made', 'Made', 'what the collectors read and plugins added'),
  part('stored', 'Stored', 'in the log'),
  part('waiting', 'Waiting', 'at the agent, or on the way'),
  part('dropped', 'Dropped', 'with a recorded reason'),
  part('missing', 'Missing', 'neither stored nor explained'),
  part('elsewhere', 'Other log', 'went to another metric log'),
  part('expired', 'Expired', 'deleted by retention before it was read'),
  part('unread', 'Not read', 'before the part of the log that was read'),
  number('duplicates', 'Copies', 'batches stored once more'),
  number('conflicts', 'Conflicts', 'records that contradict the run'),
  number('late', 'Late ticks', 'stored long after their time'),
  number('ticks_due', 'Ticks due', 'by the agent\'s schedule'),
  number('ticks_missed', 'Ticks missed', 'not read, because the agent was late'),
  number('ticks_stored', 'Ticks stored', 'in the log'),
  time('first_time', 'First tick', 'the oldest that is stored'),
  time('last_time', 'Last tick', 'the newest that is stored'),
  { key: 'host', head: 'Host', numeric: false, sort: (run) => run.host, text: (run) => run.host, explain: 'its host\'s name' },
  { key: 'run', head: 'Run', numeric: false, sort: (run) => run.incarnation, text: (run) => run.incarnation.slice(0, 8), explain: 'the first digits of the run\'s number' },
];
export const FIRST = ['made', 'stored', 'waiting', 'dropped', 'missing'];

// As it is kept in the browser. Unknown names are left out; nothing usable: the first columns.
export function columnsOf(stored: string | null): string[] {
  const chosen = (stored ?? '').split(',').filter((key) => COLUMNS.some((one) => one.key === key));
  return chosen.length === 0 ? FIRST : COLUMNS.filter((one) => chosen.includes(one.key)).map((one) => one.key);
}

export interface Order { key: string; down: boolean }

const natural = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
const trouble = (run: Run) => run.sums.missing.batches + run.conflicts;

// Without a chosen column, runs that have something missing or in conflict come first.
export function sorted(runs: Run[], { key, down }: Order, unit: Unit): Run[] {
  const column = [...FROZEN, ...COLUMNS].find((one) => one.key === key);
  const by = (a: Run, b: Run) => {
    if (column === undefined) return trouble(b) - trouble(a);
    const [x, y] = [column.sort(a, unit), column.sort(b, unit)];
    return (typeof x === 'number' && typeof y === 'number' ? x - y : natural(String(x), String(y))) * (down ? -1 : 1);
  };
  return [...runs].sort((a, b) => by(a, b) || natural(a.agent, b.agent) || (a.first_time ?? '').localeCompare(b.first_time ?? ''));
}
