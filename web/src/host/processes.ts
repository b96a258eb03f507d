// The processes of one host, from the newest values of its charts. Knows nothing of the DOM.
import type { Panel } from './panels';

export const PID = 'process.pid';

export interface ProcessRow { pid: string; command: string; owner: string; cpu: number | null; memory: number | null; read: number | null; write: number | null }
export type ProcessColumn = keyof ProcessRow;

export interface Order { column: ProcessColumn; down: boolean }

export const COLUMNS: { key: ProcessColumn; head: string; text: boolean; unit: string; name: string }[] = [
  { key: 'command', head: 'Name', text: true, unit: '', name: '' },
  { key: 'pid', head: 'PID', text: false, unit: '', name: '' },
  { key: 'owner', head: 'User', text: true, unit: '', name: '' },
  { key: 'cpu', head: 'CPU', text: false, unit: '1', name: 'utilization' },
  { key: 'memory', head: 'Memory', text: false, unit: 'By', name: '' },
  { key: 'read', head: 'Read', text: false, unit: 'By/s', name: '' },
  { key: 'write', head: 'Written', text: false, unit: 'By/s', name: '' },
];

const FIELDS: Record<string, ProcessColumn> = { 'process.cpu.utilization': 'cpu', 'process.memory.usage': 'memory' };

export type Shown = Pick<Panel, 'spec' | 'lines'>;

interface Newest { metric: string; labels: Record<string, string>; time: number; value: number | null }

// The last value of each series that `wanted` and `labelled` select. A process that has ended, or is no longer among the top ones, has
// no value at the newest time.
export function newest(panels: Shown[], wanted: (metric: string) => boolean, labelled: (labels: Record<string, string>) => boolean = () => true): Newest[] {
  const found: Newest[] = [];
  for (const { spec, lines } of panels) {
    if (!wanted(spec.metric)) continue;
    spec.series.forEach(({ series }, i) => {
      const line = lines[i];
      const time = line?.times[line.times.length - 1];
      if (line !== undefined && time !== undefined && labelled(series.labels)) found.push({ metric: series.metric, labels: series.labels, time, value: line.values[line.values.length - 1] ?? null });
    });
  }
  const last = found.reduce((most, one) => Math.max(most, one.time), -Infinity);
  return found.filter((one) => one.time >= last - 1e-3);
}

export function processRows(panels: Shown[]): ProcessRow[] {
  const rows = new Map<string, ProcessRow>();
  for (const { metric, labels, value } of newest(panels, (one) => one.startsWith('process.'))) {
    const pid = labels[PID];
    const field = metric === 'process.disk.io.rate' ? (labels['disk.io.direction'] === 'read' ? 'read' : 'write') : FIELDS[metric];
    if (pid === undefined || field === undefined) continue;
    const key = `${pid} ${labels['process.command'] ?? ''}`;
    const row = rows.get(key) ?? { pid, command: labels['process.command'] ?? '', owner: labels['process.owner'] ?? '', cpu: null, memory: null, read: null, write: null };
    rows.set(key, { ...row, [field]: value });
  }
  return [...rows.values()];
}

// Missing values are last in either direction; equal ones are by number.
export function sorted(rows: ProcessRow[], { column, down }: Order): ProcessRow[] {
  const value = (row: ProcessRow) => (column === 'pid' ? Number(row.pid) : row[column]);
  return rows.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return a === b ? Number(one.pid) - Number(other.pid) : a === null ? 1 : -1;
    const by = typeof a === 'string' ? a.localeCompare(String(b)) : a - Number(b);
    return (down ? -by : by) || Number(one.pid) - Number(other.pid);
  });
}

export interface Totals { states: [state: string, number: number][]; created: number | null }

export function totalsOf(panels: Shown[]): Totals {
  const states: Totals['states'] = [];
  let created: number | null = null;
  for (const { metric, labels, value } of newest(panels, (one) => one.startsWith('system.process.'))) {
    if (metric === 'system.process.created.rate') created = value;
    if (metric === 'system.process.count' && value !== null) states.push([labels['process.state'] ?? '', value]);
  }
  return { states: states.sort((a, b) => b[1] - a[1]), created };
}

// "-memory": descending by memory. Anything else: the busiest first.
export function orderOf(text: string): Order {
  const column = COLUMNS.find(({ key }) => key === text.replace(/^-/, ''))?.key;
  return column === undefined ? { column: 'cpu', down: true } : { column, down: text.startsWith('-') };
}

export function orderText({ column, down }: Order): string {
  return column === 'cpu' && down ? '' : `${down ? '-' : ''}${column}`;
}

// For a shell: names of agents are letters, digits and few signs, but who knows.
export function switchOn(agent: string): string {
  const quoted = /^[\w.:-]+$/.test(agent) ? agent : `'${agent.replace(/'/g, "'\\''")}'`;
  return `monitor-config set --agent-id ${quoted} metrics+=processes`;
}
