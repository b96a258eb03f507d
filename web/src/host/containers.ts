// The containers of one host, from the newest values of its charts. Knows nothing of the DOM.
import { newest, type Shown } from './processes';

export const CONTAINER = 'container.id';

export interface ContainerRow {
  id: string; name: string; runtime: string; pod: string; cpu: number | null; throttled: number | null; memory: number | null; limit: number | null;
  read: number | null; write: number | null; threads: number | null; kills: number | null;
}
export type ContainerColumn = keyof ContainerRow;

export interface ContainerOrder { column: ContainerColumn; down: boolean }

export const CONTAINER_COLUMNS: { key: ContainerColumn; head: string; text: boolean; unit: string; name: string }[] = [
  { key: 'name', head: 'Name', text: true, unit: '', name: '' },
  { key: 'runtime', head: 'Runtime', text: true, unit: '', name: '' },
  { key: 'pod', head: 'Pod', text: true, unit: '', name: '' },
  { key: 'cpu', head: 'CPUs', text: false, unit: '{cpu}', name: '' },
  { key: 'throttled', head: 'Throttled', text: false, unit: '1', name: 'utilization' },
  { key: 'memory', head: 'Memory', text: false, unit: 'By', name: '' },
  { key: 'limit', head: 'Limit', text: false, unit: 'By', name: '' },
  { key: 'read', head: 'Read', text: false, unit: 'By/s', name: '' },
  { key: 'write', head: 'Written', text: false, unit: 'By/s', name: '' },
  { key: 'threads', head: 'Threads', text: false, unit: '', name: '' },
  { key: 'kills', head: 'OOM kills', text: false, unit: '', name: '' },
];

const FIELDS: Record<string, ContainerColumn> = {
  'container.cpu.usage': 'cpu', 'container.cpu.throttling.utilization': 'throttled', 'container.memory.working_set': 'memory',
  'container.memory.limit': 'limit', 'container.thread.count': 'threads', 'container.memory.oom_kills': 'kills',
};
const DIRECTIONS: Record<string, ContainerColumn> = { read: 'read', write: 'write' };

// The name that people gave it, or the start of its number as the runtimes show it.
export function containerName(labels: Record<string, string>): string {
  const name = labels['container.name'] ?? '';
  const id = labels[CONTAINER] ?? '';
  return name !== '' ? name : /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id;
}

export function podName(labels: Record<string, string>): string {
  const [space, pod] = [labels['k8s.namespace.name'] ?? '', labels['k8s.pod.name'] ?? labels['k8s.pod.uid'] ?? ''];
  return space !== '' && pod !== '' ? `${space}/${pod}` : pod;
}

export function containerRows(panels: Shown[]): ContainerRow[] {
  const rows = new Map<string, ContainerRow>();
  for (const { metric, labels, value } of newest(panels, (one) => one.startsWith('container.'), (one) => one[CONTAINER] !== undefined)) {
    const field = metric === 'container.disk.io.rate' ? DIRECTIONS[labels['disk.io.direction'] ?? ''] : FIELDS[metric];
    if (field === undefined) continue;
    const id = labels[CONTAINER]!;
    const row = rows.get(id) ?? {
      id, name: containerName(labels), runtime: labels['container.runtime.name'] ?? '', pod: podName(labels),
      cpu: null, throttled: null, memory: null, limit: null, read: null, write: null, threads: null, kills: null,
    };
    rows.set(id, { ...row, [field]: value });
  }
  return [...rows.values()];
}

// Missing values are last in either direction; equal ones are by name.
export function sortedContainers(rows: ContainerRow[], { column, down }: ContainerOrder): ContainerRow[] {
  const after = (a: ContainerRow, b: ContainerRow) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id);
  return [...rows].sort((one, other) => {
    const [a, b] = [one[column], other[column]];
    if (a === null || b === null) return a === b ? after(one, other) : a === null ? 1 : -1;
    const by = typeof a === 'string' ? a.localeCompare(String(b)) : a - Number(b);
    return (down ? -by : by) || after(one, other);
  });
}
