// What happened on a host, as marks above its charts: alerts, configuration changes, rollouts, restarts, late data, gaps.
import { ask, type ConfigOverview } from '../lib/api';
import { gaps } from '../lib/lines';
import { age } from '../lib/format';
import { alertOf } from '../state/alert';
import { rolloutEvents, type Group, type Rollouts } from '../state/rollout_events';
import type { Line } from './lines';
import type { Panel } from './panels';

export interface Mark { at: number; to: number | null; kind: 'alert' | 'config' | 'rollout' | 'restart' | 'late' | 'gap'; agent: string; text: string }

const MOST_GAPS = 20;

const CPU = 'system.cpu.utilization';
type Drawn = Pick<Panel, 'spec' | 'lines'>;

// The line of each agent in the chart of the whole host.
function linesOf(panels: Drawn[], metric: string): { agent: string; line: Line }[] {
  const panel = panels.find((one) => one.spec.metric === metric && one.spec.by === '');
  return (panel?.lines ?? []).map((line, i) => ({ agent: panel!.spec.series[i]?.series.agent ?? '', line }));
}

const AROUND = 300;  // seconds before and after a change
const FEWEST = 3;    // values on either side

// What a change did to the agent's CPU: the means before and after it. Null: too few values are known.
export function effectOf(panels: Drawn[], mark: Mark): { before: number; after: number } | null {
  const line = linesOf(panels, CPU).find((one) => one.agent === mark.agent)?.line;
  if (line === undefined) return null;
  const mean = (from: number, to: number) => {
    const found = line.values.filter((v, i): v is number => v !== null && line.times[i]! >= from && line.times[i]! < to);
    return found.length < FEWEST ? null : found.reduce((a, b) => a + b, 0) / found.length;
  };
  const [before, after] = [mean(mark.at - AROUND, mark.at), mean(mark.at, mark.at + AROUND)];
  return before === null || after === null ? null : { before, after };
}

// What the lines themselves tell: times without values, and an uptime that began anew.
export function marksOf(panels: Drawn[], width: number): Mark[] {
  const found: Mark[] = [];
  for (const { agent, line } of linesOf(panels, CPU)) {
    for (const i of gaps(line.times, width).slice(-MOST_GAPS)) {
      const [at, to] = [line.times[i - 1]!, line.times[i]!];
      found.push({ at, to, kind: 'gap', agent, text: `no values for ${age(to - at)}` });
    }
  }
  for (const { agent, line } of linesOf(panels, 'system.uptime')) {
    for (let i = 1; i < line.values.length; ++i) {
      const [before, now] = [line.values[i - 1], line.values[i]];
      if (typeof before === 'number' && typeof now === 'number' && now < before) found.push({ at: line.times[i]! - now, to: null, kind: 'restart', agent, text: 'the host booted' });
    }
  }
  return found;
}

type Given = Record<string, unknown>;
const seconds = (text: unknown) => Date.parse(String(text ?? '')) / 1000;

export function alertMarks(current: Given[], past: Given[], agents: string[], from: number, to: number): Mark[] {
  // The history also has the alerts that are still firing.
  const all = new Map([...past, ...current].filter((one) => one['status'] !== 'pending').map((one) => [JSON.stringify([one['labels'], one['activeAt']]), one]));
  return [...all.values()]
    .map((given) => ({ alert: alertOf(given), end: seconds(given['endsAt']) }))
    .filter(({ alert }) => agents.includes(alert.agent))
    .map(({ alert, end }): Mark => ({ at: alert.since, to: end > 0 && end < to ? end : null, kind: 'alert', agent: alert.agent, text: `${alert.name}${alert.annotations['summary'] === undefined ? '' : `: ${alert.annotations['summary']}`}` }))
    .filter((mark) => mark.at < to && (mark.to ?? to) > from);
}

interface Matrix { data?: { result: { metric: Record<string, string>; values: [number, string][] }[] } }

// Where the revision that an agent runs becomes another one.
export function configMarks(given: Matrix): Mark[] {
  return (given.data?.result ?? []).flatMap(({ metric, values }) => values.flatMap(([at, value], i): Mark[] => (
    i > 0 && value !== values[i - 1]![1] ? [{ at, to: null, kind: 'config', agent: metric['agent'] ?? '', text: `runs configuration revision ${value}` }] : [])));
}

// Beginnings and ends of the rollouts of an agent's groups.
export function rolloutMarks(rollouts: Group[], agent: string, groups: string[]): Mark[] {
  return rolloutEvents(rollouts.filter((one) => groups.includes(one.group))).map((one): Mark => ({ at: one.at, to: null, kind: 'rollout', agent, text: one.text }));
}

// Each time without a pause in which a share of the ticks came late.
export function lateMarks(given: Matrix, step: number): Mark[] {
  const found: Mark[] = [];
  for (const { metric, values } of given.data?.result ?? []) {
    let last: { mark: Mark; most: number } | null = null;
    for (const [at, text] of values) {
      const share = Number(text);
      if (!(share > 0)) continue;
      if (last === null || at - last.mark.to! > 2 * step) {
        last = { mark: { at, to: at, kind: 'late', agent: metric['agent'] ?? '', text: '' }, most: 0 };
        found.push(last.mark);
      }
      last.mark.to = at;
      last.most = Math.max(last.most, share);
      last.mark.text = `data came late: up to ${(last.most * 100).toFixed(0)} % of the ticks of 5 min`;
    }
  }
  return found;
}

export interface Run { agent: string; incarnation: string; end: string; first_time: string | null }
const ENDS: Record<string, string> = { stopped: 'the run before had ended in order', unclean: 'the run before was killed' };

// Where an agent began a new run; its first one is none.
export function restartMarks(runs: Run[], many: boolean): Mark[] {
  const before = new Map<string, Run>();
  return [...runs].filter((one) => one.first_time !== null).sort((a, b) => seconds(a.first_time) - seconds(b.first_time)).flatMap((run): Mark[] => {
    const last = before.get(run.agent);
    before.set(run.agent, run);
    if (last === undefined) return [];
    return [{ at: seconds(run.first_time), to: null, kind: 'restart', agent: run.agent, text: `${many ? run.agent : 'the agent'} started again${ENDS[last.end] === undefined ? '' : `; ${ENDS[last.end]}`}` }];
  });
}

const MOST_RUNS_OF = 6;  // agents

const KEEP = 300_000;  // milliseconds: groups change rarely, and the overview of a large fleet is long
let known: { at: number; groups: Map<string, string[]> } = { at: -KEEP, groups: new Map() };

async function groupsOf(agents: string[]): Promise<Map<string, string[]>> {
  if (performance.now() - known.at >= KEEP || agents.some((one) => !known.groups.has(one))) {
    const found = await ask<ConfigOverview>('/config');
    known = { at: performance.now(), groups: new Map(found.agents.map((one) => [one.agent, one.groups ?? []])) };
  }
  return known.groups;
}

// Without a configuration, or where it cannot be read, there are none.
async function loadRollouts(agents: string[]): Promise<Mark[]> {
  try {
    const { rollouts } = await ask<Rollouts>('/rollouts');
    if (rollouts.length === 0) return [];
    const groups = await groupsOf(agents);
    return agents.flatMap((agent) => rolloutMarks(rollouts, agent, groups.get(agent) ?? []));
  } catch {
    return [];
  }
}

export async function loadMarks(agents: string[], from: number, to: number): Promise<Mark[]> {
  const step = Math.max(1, (to - from) / 250);
  const names = JSON.stringify(agents.map((one) => one.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'));
  const range = (query: string) => {
    const parameters = new URLSearchParams({ query, start: String(from), end: String(to), step: String(step) });
    return fetch(`/api/v1/query_range?${parameters}`, { cache: 'no-store' }).then((response) => response.json() as Promise<Matrix>);
  };
  const [rollouts, current, past, revisions, late, ...runs] = await Promise.all([
    loadRollouts(agents),
    ask<{ alerts: Given[] }>('/alerts'),
    ask<{ alerts: Given[] }>('/alerts/history', { from: from.toFixed(0), limit: 200 }),
    range(`config_revision(${names})`),
    range(`late_fraction(${names}) > 0`),
    ...agents.slice(0, MOST_RUNS_OF).map((agent) => ask<{ incarnations: Run[] }>('/ledger', { agent })),
  ]);
  const within = ({ at }: Mark) => at >= from && at < to;
  const restarts = restartMarks(runs.flatMap((one) => one.incarnations), agents.length > 1).filter(within);
  return [...alertMarks(current.alerts, past.alerts, agents, from, to), ...configMarks(revisions), ...lateMarks(late, step), ...restarts, ...rollouts.filter(within)];
}
