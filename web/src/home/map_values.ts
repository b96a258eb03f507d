// The values of the map's cells: a figure of the fleet, or a metric of the latest query.
import { useState } from 'preact/hooks';
import { humanValue } from '../lib/human';
import { byteRate, share } from '../lib/shown';
import { unitOf } from '../lib/prom_units';
import type { Known } from '../state/fleet_model';
import { useEffect } from '../ui/effect';
import type { Cell } from './map';
import { FIGURES, figureOf, type Figure } from './totals';

const EVERY = 5000;  // milliseconds

export interface Values { of: (known: Known) => number | null; most: number; show: (v: number | null) => string; fault: string }

interface Answer { status: string; error?: string; data?: { result: { metric: Record<string, string>; value: [number, string] }[] } }

export const isFigure = (by: string): by is Figure => by in FIGURES;

// The largest value of each agent.
export function largest(answer: Answer): Map<string, number> {
  const found = new Map<string, number>();
  for (const { metric, value } of answer.data?.result ?? []) {
    const v = Number(value[1]);
    const agent = metric['agent'] ?? '';
    if (Number.isFinite(v) && v > (found.get(agent) ?? -Infinity)) found.set(agent, v);
  }
  return found;
}

export function useValues(by: string, agents: Known[]): Values {
  const [answer, setAnswer] = useState<{ by: string; values: Map<string, number>; fault: string }>({ by: '', values: new Map(), fault: '' });
  useEffect(() => {
    if (isFigure(by)) return;
    let over = false;
    const load = async () => {
      try {
        const response = await fetch(`/api/v1/query?${new URLSearchParams({ query: /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(by) ? `max by (agent) (${by})` : by })}`, { cache: 'no-store' });
        const given = (await response.json()) as Answer;
        if (!over) setAnswer({ by, values: largest(given), fault: given.error ?? '' });
      } catch (error) {
        if (!over) setAnswer((before) => ({ ...before, fault: (error as Error).message }));
      }
    };
    void load();
    const timer = window.setInterval(() => { if (!document.hidden) void load(); }, EVERY);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [by]);
  if (isFigure(by)) {
    const isShare = by === 'cpu' || by === 'memory';
    const of = (known: Known) => figureOf(known, by);
    return { of, most: isShare ? 1 : Math.max(1, ...agents.map((one) => of(one) ?? 0)), show: (v) => (isShare ? share(v) : byteRate(v, by === 'network')), fault: '' };
  }
  const values = answer.by === by ? answer.values : new Map<string, number>();
  const [unit, name] = unitOf(by);
  return { of: (known) => values.get(known.row.agent) ?? null, most: name === 'utilization' ? 1 : Math.max(1e-9, ...values.values()), show: (v) => humanValue(unit, name, v), fault: answer.fault };
}

export function cellsOf(agents: Known[], values: Values): Cell[] {
  return agents.map((known) => {
    const value = values.of(known);
    return { known, value, text: values.show(value) };
  });
}
