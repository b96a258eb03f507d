// Sums and means over the fleet. Knows nothing of the DOM.
import type { Known } from '../state/fleet_model';

type Past = (number | null)[];
// `most`: the agent with the largest mean of the last minute. That of the last tick would be another one each second.
export interface Total { value: number | null; past: Past; agents: number; most: { agent: string; lately: number } | null }

// The figures of an agent: CPU, memory, disk read, disk write, network in, network out.
export const FIGURES = { cpu: [0], memory: [1], disk: [2, 3], network: [4, 5] } as const;
export type Figure = keyof typeof FIGURES;

// An agent that is gone has no present value.
const present = (known: Known) => !['gone', 'stopped'].includes(known.row.health);

export function figureOf(known: Known, figure: Figure): number | null {
  if (!present(known)) return null;
  let sum: number | null = null;
  for (const i of FIGURES[figure]) {
    const v = known.row.figures[i] ?? null;
    if (v !== null) sum = (sum ?? 0) + v;
  }
  return sum;
}

export function sumLines(lines: Past[]): Past {
  return (lines[0] ?? []).map((_, i) => {
    let sum: number | null = null;
    for (const line of lines) {
      const v = line[i] ?? null;
      if (v !== null) sum = (sum ?? 0) + v;
    }
    return sum;
  });
}

export function pastOf(known: Known, figure: Figure): Past {
  return sumLines(FIGURES[figure].map((i) => known.past[i] ?? []));
}

// `mean`: of shares; otherwise a sum. Steps of agents are compared at the same place; a step is five seconds.
export function totalOf(agents: Known[], figure: Figure, mean: boolean): Total {
  const total: Total = { value: null, past: [], agents: 0, most: null };
  const counted = agents.filter(present);
  let sum = 0;
  for (const one of counted) {
    const v = figureOf(one, figure);
    const lately = latelyOf(one, FIGURES[figure]);
    if (v === null) continue;
    sum += v;
    ++total.agents;
    if (lately > (total.most?.lately ?? -1)) total.most = { agent: one.row.agent, lately };
  }
  if (total.agents > 0) total.value = mean ? sum / total.agents : sum;
  total.past = pastTotal(counted, FIGURES[figure], mean);
  return total;
}

const MINUTE = 12;  // steps

function latelyOf({ past }: Known, figures: readonly number[]): number {
  let [sum, known] = [0, 0];
  const end = past[figures[0]!]?.length ?? 0;
  for (let i = Math.max(0, end - MINUTE); i < end; ++i) {
    let any = false;
    for (const figure of figures) {
      const v = past[figure]?.[i] ?? null;
      any ||= v !== null;
      sum += v ?? 0;
    }
    if (any) ++known;
  }
  return known === 0 ? -1 : sum / known;
}

// Without an array for each agent: there may be 1,000 of them, each second.
function pastTotal(agents: Known[], figures: readonly number[], mean: boolean): Past {
  const past: Past = new Array<number | null>(agents[0]?.past[figures[0]!]?.length ?? 0).fill(null);
  for (let i = 0; i < past.length; ++i) {
    let [sum, known] = [0, 0];
    for (const { past: lines } of agents) {
      let any = false;
      for (const figure of figures) {
        const v = lines[figure]?.[i] ?? null;
        if (v === null) continue;
        sum += v;
        any = true;
      }
      if (any) ++known;
    }
    if (known > 0) past[i] = mean ? sum / known : sum;
  }
  return past;
}

// The groups of a fleet by a label, in order; agents without the label come last.
export function groupsOf(agents: Known[], label: string): [string, Known[]][] {
  if (label === '') return [['', agents]];
  const groups = new Map<string, Known[]>();
  for (const one of agents) {
    const value = label === 'state' ? one.row.health : label === 'host' ? one.row.host : one.row.labels[label] ?? '';
    groups.set(value, [...(groups.get(value) ?? []), one]);
  }
  return [...groups].sort(([a], [b]) => Number(a === '') - Number(b === '') || a.localeCompare(b, 'en', { numeric: true }));
}

export function labelNames(agents: Known[]): string[] {
  return [...new Set(agents.flatMap((one) => Object.keys(one.row.labels)))].sort();
}
