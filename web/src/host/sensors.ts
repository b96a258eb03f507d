// The sensors of one host, from the newest values of its charts. Knows nothing of the DOM.
import { newest, type Shown } from './processes';

export interface SensorRow { id: string; name: string; chip: string; kind: string; value: number | null; unit: string; low: number | null; high: number | null }

// In the order of the table.
const KINDS: Record<string, [kind: string, unit: string, digits: number]> = {
  'hw.temperature': ['Temperature', '°C', 1], 'hw.fan.speed': ['Fan', 'rpm', 0], 'hw.power': ['Power', 'W', 1],
  'hw.voltage': ['Voltage', 'V', 3], 'hw.current': ['Current', 'A', 3],
};
const ORDER = Object.values(KINDS).map(([kind]) => kind);

export function sensorRows(panels: Shown[]): SensorRow[] {
  const rows = new Map<string, SensorRow>();
  const found = newest(panels, (one) => one.startsWith('hw.'), (labels) => labels['hw.id'] !== undefined);
  for (const { metric, labels, value } of found) {
    const known = KINDS[metric];
    if (known === undefined) continue;
    const id = labels['hw.id']!;
    rows.set(`${metric} ${id}`, { id, name: labels['hw.name'] ?? id, chip: labels['hw.parent'] ?? '', kind: known[0], value, unit: known[1], low: null, high: null });
  }
  for (const { metric, labels, value } of found) {
    const row = metric.endsWith('.limit') ? rows.get(`${metric.replace(/\.limit$/, '')} ${labels['hw.id']}`) : undefined;
    const type = labels['hw.limit_type'] ?? '';
    if (row === undefined || value === null) continue;
    // The limit that is reached first.
    if (type.startsWith('high')) row.high = row.high === null ? value : Math.min(row.high, value);
    if (type.startsWith('low')) row.low = row.low === null ? value : Math.max(row.low, value);
  }
  return [...rows.values()].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || a.chip.localeCompare(b.chip) || a.id.localeCompare(b.id, 'en', { numeric: true }));
}

export function sensorText(row: SensorRow, value: number | null): string {
  const digits = Object.values(KINDS).find(([kind]) => kind === row.kind)?.[2] ?? 0;
  return value === null ? '–' : `${value.toFixed(digits)} ${row.unit}`;
}

// Whether a sensor is beyond one of its limits. Some drivers state 0 for a limit that they do not know.
export function beyond(row: SensorRow): boolean {
  if (row.value === null) return false;
  return (row.high !== null && row.high > 0 && row.value >= row.high) || (row.low !== null && row.value < row.low);
}
