// The agents of the fleet, and which of them are shown in which order. Knows nothing of the DOM.
import { AgentRow, Health, HEALTHS } from '../lib/api';
import { wrongs } from '../lib/problems';

export const PAST = 60;  // steps of the short past

export interface Column { key: string; head: string; class: string; order: (row: AgentRow) => number | string }
export const COLUMNS: Column[] = [
  { key: 'health', head: 'State', class: 'c-health', order: (r) => HEALTHS.indexOf(r.health) },
  { key: 'agent', head: 'Agent', class: 'c-agent', order: (r) => r.agent },
  { key: 'host', head: 'Host', class: 'c-host', order: (r) => r.host },
  { key: 'cpu', head: 'CPU %', class: 'num', order: (r) => r.figures[0] ?? -1 },
  { key: 'cpu-past', head: '', class: 'c-spark', order: (r) => r.figures[0] ?? -1 },
  { key: 'memory', head: 'Mem %', class: 'num', order: (r) => r.figures[1] ?? -1 },
  { key: 'memory-past', head: '', class: 'c-spark', order: (r) => r.figures[1] ?? -1 },
  { key: 'read', head: 'Disk r', class: 'num wide', order: (r) => r.figures[2] ?? -1 },
  { key: 'write', head: 'Disk w', class: 'num wide', order: (r) => r.figures[3] ?? -1 },
  { key: 'disk-past', head: '', class: 'c-spark wide', order: (r) => (r.figures[2] ?? 0) + (r.figures[3] ?? 0) },
  { key: 'in', head: 'Net in', class: 'num wide', order: (r) => r.figures[4] ?? -1 },
  { key: 'out', head: 'Net out', class: 'num wide', order: (r) => r.figures[5] ?? -1 },
  { key: 'net-past', head: '', class: 'c-spark wide', order: (r) => (r.figures[4] ?? 0) + (r.figures[5] ?? 0) },
  { key: 'seen', head: 'Tick', class: 'num c-tick', order: (r) => -(r.tick ?? 0) },
  { key: 'revision', head: 'Rev', class: 'num wide', order: (r) => r.revision },
];

export interface Known { row: AgentRow; past: (number | null)[][]; end: number }
// What the user has chosen. `only` is a state, or 'problems'.
export interface Choice { order: string; down: boolean; only: Health | 'problems' | null; text: string }
export interface Chosen { shown: Known[]; counts: Map<Health, number>; troubled: AgentRow[] }

// Labels from the configuration: "rack=r12 site=eu-1".
export function labelsOf(row: AgentRow): string {
  return Object.entries(row.labels).map(([name, value]) => `${name}=${value}`).join(' ');
}

function matches(row: AgentRow, text: string): boolean {
  return [row.agent, row.host, labelsOf(row)].some((one) => one.toLowerCase().includes(text));
}

const collate = new Intl.Collator('en', { numeric: true }).compare;  // once: it is slow to make

// `places`: of the agents in the order of their names.
function inOrder(choice: Choice, places: Map<string, number>): (a: Known, b: Known) => number {
  const column = COLUMNS.find((c) => c.key === choice.order) ?? COLUMNS[1]!;
  const turn = choice.down ? -1 : 1;
  const byName = (a: Known, b: Known) => places.get(a.row.agent)! - places.get(b.row.agent)!;
  if (column.key === 'agent') return (a, b) => byName(a, b) * turn;
  return (a, b) => {
    const x = column.order(a.row);
    const y = column.order(b.row);
    const first = typeof x === 'string' && typeof y === 'string' ? collate(x, y) : Number(x) - Number(y);
    return first !== 0 ? first * turn : byName(a, b);
  };
}

export class FleetModel {
  readonly agents = new Map<string, Known>();
  private names = new Map<string, number>();

  take(row: AgentRow): void {
    const known = this.agents.get(row.agent) ?? { row, past: row.past.figures.map(() => new Array<number | null>(PAST).fill(null)), end: 0 };
    this.agents.set(row.agent, known);
    known.row = row;
    const end = row.past.end ?? 0;
    const steps = known.end === 0 ? 0 : Math.min(Math.max(Math.round((end - known.end) / row.past.step), 0), PAST);
    known.past.forEach((line, i) => {
      const told = row.past.figures[i] ?? [];
      line.splice(0, steps);
      while (line.length < PAST) line.push(null);
      line.splice(PAST - told.length, told.length, ...told);
    });
    known.end = end;
  }

  // To compare names is slow, and the order of 1,000 agents is wanted each second: it is kept until agents come or go.
  private places(): Map<string, number> {
    const agents = [...this.agents.keys()];
    if (this.names.size !== agents.length || agents.some((one) => !this.names.has(one))) this.names = new Map(agents.sort(collate).map((one, i) => [one, i]));
    return this.names;
  }

  choose(choice: Choice): Chosen {
    const chosen: Chosen = { shown: [], counts: new Map(), troubled: [] };
    const text = choice.text.trim().toLowerCase();
    for (const known of this.agents.values()) {
      const { row } = known;
      chosen.counts.set(row.health, (chosen.counts.get(row.health) ?? 0) + 1);
      const wrong = wrongs(row).length > 0;
      if (wrong) chosen.troubled.push(row);
      if (choice.only === 'problems' ? !wrong : choice.only !== null && row.health !== choice.only) continue;
      if (text === '' || matches(row, text)) chosen.shown.push(known);
    }
    chosen.shown.sort(inOrder(choice, this.places()));
    return chosen;
  }
}
