// What has changed in the last hour: alerts, hosts that went away, configuration, rollouts. Knows nothing of the DOM.
import type { Alert } from '../state/alert';
import type { AgentRow } from '../lib/api';
import type { RolloutEvent } from '../state/rollout_events';

export interface Change { at: number; kind: 'alert' | 'resolved' | 'gone' | 'config' | 'rollout'; what: string; agent: string }

const HOUR = 3600;
const MOST = 6;

export interface Past { alerts: Pick<Alert, 'name' | 'agent' | 'ended'>[]; revisions: { agent: string; at: number }[]; rollouts?: RolloutEvent[] }

export interface Revisions { data?: { result: { metric: Record<string, string>; values: [number, string][] }[] } }

// When each agent last began to run another revision; nothing for those that did not.
export function revisionChanges(given: Revisions): Past['revisions'] {
  return (given.data?.result ?? []).flatMap(({ metric, values }) => {
    let at = 0;
    values.forEach(([time, value], i) => { if (i > 0 && value !== values[i - 1]![1]) at = time; });
    return at === 0 ? [] : [{ agent: metric['agent'] ?? '', at }];
  });
}

const AROUND = 900;  // seconds

// The range of time that shows what a change did: live while it is not long ago.
export function rangeAround(at: number, now: number): Record<string, string> {
  const ago = now - at;
  if (ago > AROUND) return { from: (at - AROUND).toFixed(0), to: (at + AROUND).toFixed(0) };
  return { span: String([300, 900, 3600].find((span) => span >= 2 * ago) ?? 3600) };
}

export function changesOf(rows: AgentRow[], alerts: Alert[], past: Past, now: number): Change[] {
  const found: Change[] = [];
  const lately = (at: number | null): at is number => at !== null && at > now - HOUR;
  for (const one of alerts) {
    if (one.state === 'firing' && lately(one.fired)) found.push({ at: one.fired, kind: 'alert', what: one.annotations['summary'] ?? one.name, agent: one.agent });
  }
  for (const one of past.alerts) {
    if (lately(one.ended)) found.push({ at: one.ended, kind: 'resolved', what: `${one.name} resolved`, agent: one.agent });
  }
  for (const row of rows) {
    if ((row.health === 'gone' || row.health === 'stopped') && lately(row.seen)) found.push({ at: row.seen, kind: 'gone', what: row.health === 'gone' ? 'is gone' : 'was stopped', agent: row.agent });
  }
  for (const one of past.revisions) {
    if (lately(one.at)) found.push({ at: one.at, kind: 'config', what: 'runs another configuration', agent: one.agent });
  }
  for (const one of past.rollouts ?? []) {
    if (lately(one.at)) found.push({ at: one.at, kind: 'rollout', what: one.text, agent: '' });
  }
  return found.sort((a, b) => b.at - a.at).slice(0, MOST);
}
