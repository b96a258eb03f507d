// The account of every batch: one row per run of an agent.
import { ask } from '../lib/api';
import { debounce, el, replaceChildren, setText, table } from '../lib/dom';
import { count, many, noun } from '../lib/format';
import { go, Page } from '../lib/page';
import { stream } from '../lib/stream';

type Run = Record<string, unknown>;

const MOST_ROWS = 2000;
// Columns placed next to the agent, so that a phone shows them without scrolling.
const FIRST = ['missing', 'conflicts', 'batches_stored'];
const SHOWN = ['agent', 'incarnation', 'host', 'conflicts', 'batches_stored', 'end'];

const wide = (name: string): [string, string] => [name, 'wide'];
const missed = (name: string, n: number) => el('span', { class: n > 0 && name !== 'batches_stored' ? 'warn' : undefined }, count(n));
const numeric = (name: string): [string, string] => [name.replaceAll('_', ' '), 'num'];
const number = (run: Run, name: string) => (typeof run[name] === 'number' ? (run[name] as number) : 0);

export function ledger(parameters: URLSearchParams): Page {
  const filter = el('input', { type: 'search', placeholder: 'Agents, e.g. web-*  /', 'aria-label': 'Agents', value: parameters.get('agent') ?? '' });
  const sum = el('p', { class: 'info', role: 'status' });
  const body = el('div');
  const element = el('section', { class: 'page ledger' }, el('h1', {}, 'Ledger'), el('div', { class: 'tools' }, filter), sum, body);
  filter.addEventListener('input', debounce(400, () => { go('ledger', filter.value === '' ? {} : { agent: filter.value }, 'replace'); void load(); }));

  async function load(): Promise<void> {
    try {
      const answer = await ask<{ incarnations: Run[]; skipped: number; lost: number }>('/ledger', { agent: filter.value.trim() });
      const runs = answer.incarnations;
      const total = (name: string) => runs.reduce((all, run) => all + amount(run[name]), 0);
      const stored = runs.reduce((all, run) => all + number(run, 'batches_stored'), 0);
      const missing = total('missing');
      const elsewhere = total('elsewhere');
      const conflicts = total('conflicts');
      replaceChildren(sum, `${many(runs.length, 'run')}: `, el('b', {}, count(stored)), ` ${noun(stored, 'batch', 'batches')} stored, `, el('b', { class: missing > 0 ? 'warn' : 'good' }, count(missing)), ' missing, ', elsewhere > 0 ? `${count(elsewhere)} in another log, ` : '', el('b', { class: conflicts > 0 ? 'warn' : 'good' }, count(conflicts)), ' in conflict, ',
        `${count(total('dropped'))} dropped with a reason, ${many(total('duplicates'), 'duplicate')}, ${many(answer.skipped, 'record')} could not be decoded, ${many(answer.lost, 'record')} deleted by retention before being read.${runs.length > MOST_ROWS ? ` Showing the first ${count(MOST_ROWS)} runs; filter by agent to see others.` : ''}`);
      const others = [...new Set(runs.flatMap((run) => Object.keys(run)))].filter((name) => !SHOWN.includes(name));
      const heads = [...FIRST.map((name) => numeric(name)), 'End', wide('Host'), wide('Run'), ...others.map((name) => numeric(name === 'missing' ? 'missing sequences' : name))];
      const line = (run: Run) => [String(run['agent']), ...FIRST.map((name) => missed(name, amount(run[name]))), String(run['end']), String(run['host'] ?? ''), String(run['incarnation']).slice(0, 8), ...others.map((name) => cell(run[name]))];
      replaceChildren(body, table('Runs of agents', ['Agent', ...heads],
        [...runs].sort((a, b) => amount(b['missing']) + amount(b['conflicts']) - amount(a['missing']) - amount(a['conflicts'])).slice(0, MOST_ROWS).map(line)));
    } catch (error) {
      setText(sum, (error as Error).message);
    }
  }

  // The size of a count, a list of ranges, or totals by reason.
  function amount(v: unknown): number {
    if (typeof v === 'number') return v;
    if (Array.isArray(v)) return v.reduce((all: number, one: unknown) => all + (Array.isArray(one) && typeof one[0] === 'number' ? Number(one[1]) - Number(one[0]) + 1 : typeof one === 'object' && one !== null ? Number((one as Run)['batches'] ?? 0) : 0), 0);
    if (typeof v === 'object' && v !== null) return amount((v as Run)['count'] ?? (v as Run)['batches']);
    return 0;
  }
  function cell(v: unknown): string {
    if (v === null || v === undefined) return '–';
    if (typeof v === 'number') return count(v);
    if (typeof v === 'boolean') return v ? 'yes' : 'no';
    if (Array.isArray(v)) return v.length === 0 ? '0' : v.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))).join(' ');
    return typeof v === 'object' ? JSON.stringify(v) : String(v);
  }

  const timer = window.setInterval(() => { if (!document.hidden) void load(); }, 3000);
  void load();
  stream.follow([], '', () => undefined, () => void load());
  return { element, key: (pressed) => (pressed.key === '/' ? (filter.focus(), true) : false), close: () => clearInterval(timer) };
}
