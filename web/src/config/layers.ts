// The documents as layers, and which agents use them. Knows nothing of the DOM.
import type { ConfigPreview, ConfigRow, StoredDocument } from '../lib/api';

export type Kind = 'defaults' | 'group' | 'agent' | 'override';
export interface Item { key: string; kind: Kind; name: string; stored: StoredDocument | null; users: number }

export const BUILT_IN = 'built in';
const AROUND = 900;  // seconds before and after a change
const MOST_AGENTS = 5;
const OVERRIDE = /^\/monitor\/overrides\/(agents|groups)\/([^/]+)\/([^/]+)$/;
const OF_ALL = '/monitor/overrides/all/';

// "web-1", "group:web" or "defaults", as a user names a document.
export function keyOf(name: string): string {
  if (name === 'defaults') return '/monitor/defaults';
  return name.startsWith('group:') ? `/monitor/groups/${name.slice(6)}` : `/monitor/config/${name}`;
}

export function kindOf(key: string): Kind {
  if (key.startsWith('/monitor/overrides/')) return 'override';
  if (key.startsWith('/monitor/groups/')) return 'group';
  return key === '/monitor/defaults' ? 'defaults' : 'agent';
}

// The agent that a document belongs to; empty: it is shared.
export function agentOf(key: string): string {
  if (key.startsWith('/monitor/config/')) return key.slice('/monitor/config/'.length);
  const found = OVERRIDE.exec(key);
  return found?.[1] === 'agents' ? found[2]! : '';
}

export function nameOf(key: string): string {
  if (key.startsWith(OF_ALL)) return `all agents: ${key.slice(OF_ALL.length)}`;
  const found = OVERRIDE.exec(key);
  if (found !== null) return `${found[1] === 'groups' ? `group ${found[2]}` : found[2]}: ${found[3]}`;
  return key === '/monitor/defaults' ? 'defaults' : key.slice(key.lastIndexOf('/') + 1);
}

// A layer in words, as an agent has it: "defaults", "group web", "its own document", "override fast", "override quiet of all agents".
export function layerName(layer: string | null): string {
  if (layer === null) return BUILT_IN;
  const kind = kindOf(layer);
  if (kind === 'override') {
    const found = OVERRIDE.exec(layer);
    return `override ${layer.slice(layer.lastIndexOf('/') + 1)}${layer.startsWith(OF_ALL) ? ' of all agents' : found?.[1] === 'groups' ? ` of group ${found[2]}` : ''}`;
  }
  return kind === 'group' ? `group ${nameOf(layer)}` : kind === 'agent' ? 'its own document' : 'defaults';
}

export function usersOf(key: string, rows: ConfigRow[]): ConfigRow[] {
  const kind = kindOf(key);
  if (kind === 'defaults' || key.startsWith(OF_ALL)) return rows;
  const agent = agentOf(key);
  if (agent !== '') return rows.filter((one) => one.agent === agent);
  const group = kind === 'group' ? nameOf(key) : OVERRIDE.exec(key)?.[2] ?? '';
  return rows.filter((one) => (one.groups ?? []).includes(group));
}

// The override that the page sets instead of changing a document for good.
export function overrideOf(key: string): string {
  const kind = kindOf(key);
  if (kind === 'defaults') return `${OF_ALL}page`;
  if (kind === 'group') return `/monitor/overrides/groups/${nameOf(key)}/page`;
  return kind === 'agent' && agentOf(key) !== '' ? `/monitor/overrides/agents/${agentOf(key)}/page` : '';
}

const natural = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

// All that can be opened: the defaults, groups that have a document or a member, every agent, overrides.
export function itemsOf(documents: StoredDocument[], rows: ConfigRow[]): Item[] {
  const stored = new Map(documents.map((one) => [one.key, one]));
  const members = new Map<string, number>();
  for (const row of rows) for (const group of new Set(row.groups ?? [])) members.set(group, (members.get(group) ?? 0) + 1);
  const keys = new Set(['/monitor/defaults', ...[...members.keys()].map((group) => keyOf(`group:${group}`)), ...rows.map((row) => keyOf(row.agent)), ...stored.keys()]);
  const order: Kind[] = ['defaults', 'group', 'agent', 'override'];
  return [...keys].map((key): Item => {
    const kind = kindOf(key);
    const group = kind === 'group' ? nameOf(key) : OVERRIDE.exec(key)?.[1] === 'groups' ? OVERRIDE.exec(key)![2]! : '';
    return { key, kind, name: nameOf(key), stored: stored.get(key) ?? null, users: kind === 'defaults' || key.startsWith(OF_ALL) ? rows.length : group !== '' ? members.get(group) ?? 0 : 1 };
  }).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || natural(a.name, b.name));
}

// How far the agents that a change affects have come with it. `revision`: that of the change; 0: the store has none.
export interface Rollout { key: string; revision: number; agents: string[] | null }
export interface Progress { applied: ConfigRow[]; waiting: ConfigRow[]; refused: ConfigRow[]; away: ConfigRow[] }

export function progressOf(rollout: Rollout, rows: ConfigRow[]): Progress {
  const found: Progress = { applied: [], waiting: [], refused: [], away: [] };
  const users = rollout.agents === null ? usersOf(rollout.key, rows) : rows.filter((one) => rollout.agents!.includes(one.agent));
  for (const row of users) {
    if (row.state === 'gone' || row.state === 'stopped') found.away.push(row);
    else if (row.state === 'failed') found.refused.push(row);
    else if (row.state === 'applied') found.applied.push(row);
    else found.waiting.push(row);
  }
  return found;
}

// The page of the agents that use a document, around the time of a change: live while the change is recent.
export function effectOf(agents: string[], time: number, now: number): Record<string, string> {
  const chosen = agents.slice(0, MOST_AGENTS).join(',');
  if (now < time + AROUND) return { agents: chosen, span: String(Math.ceil(now - time) + AROUND) };
  return { agents: chosen, from: (time - AROUND).toFixed(0), to: (time + AROUND).toFixed(0) };
}

type Changes = ConfigPreview['rows'][number]['changes'];

// Agents for which the same values change.
export function alike(rows: ConfigPreview['rows']): { agents: string[]; changes: Changes }[] {
  const found = new Map<string, { agents: string[]; changes: Changes }>();
  for (const { agent, changes } of rows) {
    const known = found.get(JSON.stringify(changes));
    if (known === undefined) found.set(JSON.stringify(changes), { agents: [agent], changes });
    else known.agents.push(agent);
  }
  return [...found.values()];
}
