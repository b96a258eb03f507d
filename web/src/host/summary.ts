// The strip of figures above a host's charts: now, least, most and 95th percentile of the chosen range. Knows nothing of
// the DOM.
import type { Line } from './lines';

export interface Figures { now: number | null; min: number; max: number; p95: number }

// Of averages, `min` and `max` are those of the ticks; the percentile is that of the averages.
export function figuresOf(line: Pick<Line, 'values' | 'min' | 'max'>): Figures | null {
  const known = line.values.filter((v): v is number => v !== null);
  if (known.length === 0) return null;
  const least = (line.min ?? []).filter((v): v is number => v !== null && v !== undefined);
  const most = (line.max ?? []).filter((v): v is number => v !== null && v !== undefined);
  const sorted = Float64Array.from(known).sort();
  let min = sorted[0]!;
  let max = sorted[sorted.length - 1]!;
  for (const v of least) min = Math.min(min, v);
  for (const v of most) max = Math.max(max, v);
  return { now: known[known.length - 1]!, min, max, p95: sorted[Math.ceil(0.95 * sorted.length) - 1]! };
}

export interface Wanted { key: string; title: string; metric: string; labels: Record<string, string> }

export const WANTED: Wanted[] = [
  { key: 'cpu', title: 'CPU', metric: 'system.cpu.utilization', labels: {} },
  { key: 'memory', title: 'Memory', metric: 'system.memory.utilization', labels: {} },
  { key: 'load', title: 'Load, 1 min', metric: 'system.cpu.load_average.1m', labels: {} },
  { key: 'read', title: 'Disk read', metric: 'system.disk.io.rate', labels: { 'disk.io.direction': 'read' } },
  { key: 'write', title: 'Disk write', metric: 'system.disk.io.rate', labels: { 'disk.io.direction': 'write' } },
  { key: 'in', title: 'Net in', metric: 'system.network.io.rate', labels: { 'network.io.direction': 'receive' } },
  { key: 'out', title: 'Net out', metric: 'system.network.io.rate', labels: { 'network.io.direction': 'transmit' } },
];
