// Plugins over the fleet, from what agents report. Knows nothing of the DOM. Reports are foreign: every field may be
// missing or of another type.
import type { Answer } from '../lib/api';

type Given = Answer<'/api/ui/v1/plugins'>;
export type Report = Omit<Given['plugins'][number], 'plugin'> & { plugin: Record<string, unknown> };
export type Reports = Omit<Given, 'plugins'> & { plugins: Report[] };

export const STATES = ['active', 'shadow', 'starting', 'waiting', 'quarantined', 'refused'] as const;
export type State = (typeof STATES)[number];

export interface Instance {
  agent: string; host: string; name: string; kind: string; state: string; error: string; errorAt: number | null; version: string;
  ticks: number; changed: number; dropped: number; points: number; failed: number; skipped: number; restarts: number; replaced: number;
  p50: number; p99: number; threads: number; cpu: number; memory: number;
  place: number;  // in the agent's chain, from 1
  chain: string[];
}
export interface Refusal { agent: string; host: string; reason: string }
export interface Failure { agent: string; host: string; reason: string; at: number | null; failed: number }
export interface Plugin {
  name: string; kinds: string[]; instances: Instance[]; states: [string, number][]; versions: [string, string[]][]; refusals: Refusal[]; failures: Failure[];
  p50: number | null; p99: number | null; slowest: string; points: number; ticks: number; failed: number; places: string;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const number = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

function stateOf(plugin: Record<string, unknown>): string {
  const state = text(plugin['state']);
  if (state !== 'running') return state === '' ? 'unknown' : state;
  return plugin['shadow'] === true ? 'shadow' : 'active';
}

// A built-in plugin is part of the agent.
function versionOf(report: Report, plugin: Record<string, unknown>): string {
  const own = text(plugin['version']);
  if (own !== '') return own;
  return text(plugin['kind']) === 'built-in' && report.agent_version !== '' ? `agent ${report.agent_version}` : 'unknown';
}

function instanceOf(report: Report, place: number, chain: string[]): Instance {
  const { plugin } = report;
  const at = Date.parse(text(plugin['error_time'])) / 1000;
  const of = (name: string) => number(plugin[name]);
  return {
    agent: report.agent, host: report.host, name: chain[place - 1]!, kind: text(plugin['kind']) || 'unknown', state: stateOf(plugin), error: text(plugin['error']) || text(plugin['last_error']), errorAt: Number.isFinite(at) ? at : null,
    version: versionOf(report, plugin), ticks: of('ticks'), changed: of('changed'), dropped: of('dropped'), points: of('points_dropped'), failed: of('failed'), skipped: of('skipped'), restarts: of('restarts'), replaced: of('replaced'),
    p50: of('p50'), p99: of('p99'), threads: of('threads'), cpu: of('cpu'), memory: of('memory'), place, chain,
  };
}

export function instancesOf(reports: Report[]): Instance[] {
  const byAgent = new Map<string, Report[]>();
  for (const report of reports) byAgent.set(report.agent, [...(byAgent.get(report.agent) ?? []), report]);
  return [...byAgent.values()].flatMap((own) => {
    const seen = new Map<string, number>();
    const chain = own.map(({ plugin }) => {
      const name = text(plugin['name']) || '(without a name)';
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      return times === 1 ? name : `${name}#${times}`;  // as in the agent's own metrics
    });
    return own.map((report, i) => instanceOf(report, i + 1, chain));
  });
}

// Which plugin an agent's complaint is about; empty if it does not say.
export function refusedName(reason: string): string {
  return (/plugin ([\w.-]+): /.exec(reason) ?? /got "([^"]+)"/.exec(reason) ?? /([\w.-]+) is ambiguous/.exec(reason))?.[1] ?? '';
}

function counted(words: string[]): [string, number][] {
  const found = new Map<string, number>();
  for (const word of words) found.set(word, (found.get(word) ?? 0) + 1);
  const rank = (word: string) => (STATES as readonly string[]).indexOf(word);
  return [...found].sort((a, b) => rank(a[0]) - rank(b[0]) || a[0].localeCompare(b[0]));
}

function middle(values: number[]): number | null {
  if (values.length === 0) return null;
  const all = [...values].sort((a, b) => a - b);
  return all[Math.floor((all.length - 1) / 2)]!;
}

function placesOf(instances: Instance[]): string {
  const all = [...new Set(instances.map((one) => `${one.place} of ${one.chain.length}`))];
  return all.length === 1 ? all[0]! : all.length === 0 ? '–' : `${Math.min(...instances.map((one) => one.place))} to ${Math.max(...instances.map((one) => one.place))}`;
}

function failuresOf(instances: Instance[]): Failure[] {
  return instances.filter((one) => one.error !== '').map(({ agent, host, error, errorAt, failed }) => ({ agent, host, reason: error, at: errorAt, failed })).sort((a, b) => (b.at ?? 0) - (a.at ?? 0));
}

function pluginOf(name: string, instances: Instance[], refusals: Refusal[]): Plugin {
  const timed = instances.filter((one) => one.ticks > 0);
  const slowest = timed.reduce<Instance | null>((most, one) => (most === null || one.p99 > most.p99 ? one : most), null);
  const versions = new Map<string, string[]>();
  for (const one of instances) versions.set(one.version, [...(versions.get(one.version) ?? []), one.agent]);
  const sum = (of: (one: Instance) => number) => instances.reduce((all, one) => all + of(one), 0);
  return {
    name, kinds: [...new Set(instances.map((one) => one.kind))], instances, refusals, failures: failuresOf(instances), states: counted([...instances.map((one) => one.state), ...refusals.map(() => 'refused')]),
    versions: [...versions].sort((a, b) => b[1].length - a[1].length), p50: middle(timed.map((one) => one.p50)), p99: slowest?.p99 ?? null, slowest: slowest?.agent ?? '',
    points: sum((one) => one.points), ticks: sum((one) => one.dropped), failed: sum((one) => one.failed), places: placesOf(instances),
  };
}

const trouble = (plugin: Plugin) => plugin.states.filter(([state]) => state !== 'active' && state !== 'shadow').reduce((sum, [, n]) => sum + n, 0);

// Those in trouble first.
export function pluginsOf({ plugins, refused }: Reports): Plugin[] {
  const instances = instancesOf(plugins);
  const names = new Set([...instances.map((one) => one.name), ...refused.map((one) => refusedName(one.reason))]);
  names.delete('');
  return [...names].map((name) => pluginOf(name, instances.filter((one) => one.name === name), refused.filter((one) => refusedName(one.reason) === name)))
    .sort((a, b) => trouble(b) - trouble(a) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

export function matching(plugins: Plugin[], wanted: string): Plugin[] {
  const word = wanted.trim().toLowerCase();
  if (word === '') return plugins;
  return plugins.filter((one) => one.name.toLowerCase().includes(word) || one.instances.some((own) => own.agent.toLowerCase().includes(word)) || one.refusals.some((own) => own.agent.toLowerCase().includes(word)));
}
