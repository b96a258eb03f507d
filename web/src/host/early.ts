// The first range of a host's page. It is asked for as soon as the address is known, while the page's code and the answer
// who is logged in are still on their way.
import { address, type Parameters, type Range } from '../lib/api';
import { TimeRange } from './time_range';

export const MOST_AGENTS = 20;
const LONGEST = 5000;  // milliseconds that an answer may wait: live events continue from it

export function agentsOf(parameters: URLSearchParams): string[] {
  return (parameters.get('agents') ?? '').split(',').filter((one) => one !== '').slice(0, MOST_AGENTS);
}

// `back`: seconds by which the range lies earlier.
export function rangeQuery(agents: string[], metric: string, range: TimeRange, back: number): Parameters {
  const [from, to] = range.bounds();
  const points = Math.max(950, Math.min(1400, window.innerWidth));
  return { agent: agents, metric, from: (from - back).toFixed(3), to: (range.live && back === 0 ? to + 2 : to - back).toFixed(3), points };
}

const keyOf = (agents: string[], metric: string, range: TimeRange) => JSON.stringify([agents, metric, range.parameters()]);
let first: { key: string; at: number; answer: Promise<Range | null> } | null = null;

export function askEarly(parameters: URLSearchParams): void {
  const agents = agentsOf(parameters);
  if (agents.length === 0) return;
  const range = new TimeRange(() => Date.now() / 1000);
  range.read(parameters);
  const metric = parameters.get('metric') ?? '';
  const answer = fetch(address('/range', rangeQuery(agents, metric, range, 0)), { cache: 'no-store' })
    .then((response) => (response.ok ? (response.json() as Promise<Range>) : null), () => null);
  first = { key: keyOf(agents, metric, range), at: performance.now(), answer: answer.catch(() => null) };
}

// Null: it was not asked for, or there is no usable answer. It is given once.
export async function takeEarly(agents: string[], metric: string, range: TimeRange): Promise<Range | null> {
  const found = first;
  first = null;
  if (found === null || found.key !== keyOf(agents, metric, range) || performance.now() - found.at > LONGEST) return null;
  return found.answer;
}
