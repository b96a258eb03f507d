// Sums and means over the fleet. Knows nothing of the DOM.
import type { Known } from '../state/fleet_model';

type Past = (number | null)[];
export interface Total { value: number | null; past: Past; agents: number }

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
  const values = agents.map((one) => figureOf(one, figure)).filter((v) => v !== null);
  const sum = values.reduce((a, b) => a + b, 0);
  const lines = agents.filter(present).map((one) => pastOf(one, figure));
  const past = sumLines(lines).map((v, i) => (v === null || !mean ? v : v / lines.filter((line) => (line[i] ?? null) !== null).length));
  return { value: values.length === 0 ? null : mean ? sum / values.length : sum, past, agents: values.length };
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
