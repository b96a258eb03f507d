// The past of plugins: the 99th percentile of their time, and what they dropped, by plugin. From the query API.
import { useState } from 'preact/hooks';
import { useEffect } from '../ui/effect';

const SPAN = 3600;  // seconds
const STEP = 60;
const EVERY = 30_000;  // milliseconds

export interface Past { p99: Map<string, (number | null)[]>; drops: Map<string, (number | null)[]>; fault: string }
export interface Matrix { error?: string; data?: { result: { metric: Record<string, string>; values: [number, string][] }[] } }

// One value for each step; null where there is none.
export function linesOf(given: Matrix, from: number, to: number): Map<string, (number | null)[]> {
  const found = new Map<string, (number | null)[]>();
  for (const { metric, values } of given.data?.result ?? []) {
    const line: (number | null)[] = Array.from({ length: Math.floor((to - from) / STEP) + 1 }, () => null);
    for (const [at, value] of values) {
      const i = Math.round((at - from) / STEP);
      if (i >= 0 && i < line.length && Number.isFinite(Number(value))) line[i] = Number(value);
    }
    found.set(metric['plugin'] ?? '', line);
  }
  return found;
}

async function range(query: string, from: number, to: number): Promise<Matrix> {
  const response = await fetch(`/api/v1/query_range?${new URLSearchParams({ query, start: String(from), end: String(to), step: String(STEP), lookback_delta: '90s' })}`, { cache: 'no-store' });
  return (await response.json()) as Matrix;
}

export function usePast(wanted: boolean): Past {
  const [past, setPast] = useState<Past>({ p99: new Map(), drops: new Map(), fault: '' });
  useEffect(() => {
    if (!wanted) return;
    let over = false;
    const load = async () => {
      const to = Math.floor(Date.now() / 1000 / STEP) * STEP;
      const from = to - SPAN;
      try {
        const [times, drops] = await Promise.all([range('max by (plugin, quantile) (plugin_tick_seconds())', from, to), range('sum by (plugin) (increase(plugin_dropped_points()[2m:1m])) / 2', from, to)]);
        const high = { ...times, data: { result: (times.data?.result ?? []).filter((one) => one.metric['quantile'] === '0.99') } };
        if (!over) setPast({ p99: linesOf(high, from, to), drops: linesOf(drops, from, to), fault: times.error ?? drops.error ?? '' });
      } catch (error) {
        if (!over) setPast((before) => ({ ...before, fault: (error as Error).message }));
      }
    };
    void load();
    const timer = window.setInterval(() => { if (!document.hidden) void load(); }, EVERY);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [wanted]);
  return past;
}
