// The fleet: one row per agent. Only visible rows are in the DOM. They are written at most once a second, and only
// where a value changed.
import { AgentRow, ask, Fleet, Health, HEALTHS } from './api';
import { el, replaceChildren, setText } from './dom';
import { age, percent, rate } from './format';
import { go, link, Page } from './page';
import { ProblemList, wrongs } from './problems';
import { spark } from './spark';
import { stream } from './stream';

const ROW = 30;
const PAST = 60;
const COLUMNS: { key: string; head: string; class: string; order: (row: AgentRow) => number | string }[] = [
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

interface Known { row: AgentRow; past: (number | null)[][]; end: number }
interface Line { element: HTMLElement; cells: HTMLElement[]; canvases: HTMLCanvasElement[]; agent: string; drawn: number }

// Labels from the configuration: "rack=r12 site=eu-1".
function labelsOf(row: AgentRow): string {
  return Object.entries(row.labels).map(([name, value]) => `${name}=${value}`).join(' ');
}

// The sum of two lines, point by point.
function sum(a: (number | null)[] = [], b: (number | null)[] = []): (number | null)[] {
  return a.map((v, i) => (v === null && (b[i] ?? null) === null ? null : (v ?? 0) + (b[i] ?? 0)));
}

export function overview(parameters: URLSearchParams): Page {
  const agents = new Map<string, Known>();
  let shown: Known[] = [];
  let order = parameters.get('sort') ?? 'agent';
  let down = parameters.get('order') === 'down';
  let only = parameters.get('state') as Health | 'problems' | null;
  let selected = -1;
  let now = 0;
  let gotAt = 0;
  let dirty = true;
  let generation = 0;
  let closed = false;
  const lines: Line[] = [];

  const chips = el('div', { class: 'chips', role: 'group', 'aria-label': 'States' });
  const filter = el('input', { type: 'search', placeholder: 'Filter agents, hosts, labels  /', 'aria-label': 'Filter agents, hosts and labels', value: parameters.get('filter') ?? '' });
  const head = el('div', { class: 'fleet-head fleet-row', role: 'row' });
  const rows = el('div', { class: 'fleet-rows', role: 'rowgroup' });
  const body = el('div', { class: 'fleet-body', tabindex: 0, role: 'table', 'aria-label': 'Agents' }, el('div', { role: 'rowgroup', class: 'sticky' }, head), rows);
  const empty = el('p', { class: 'empty' });
  const problems = new ProblemList();
  const unit = el('span', { class: 'dim wide' }, 'disk and net in MB/s');
  const element = el('section', { class: 'overview' }, el('h1', { class: 'visually-hidden' }, 'Overview'),
    el('div', { class: 'tools' }, chips, filter, unit), problems.element, body, empty);

  const chipButtons = new Map<Health, { button: HTMLElement; number: HTMLElement }>();
  for (const health of HEALTHS) {
    const number = el('b', {}, '0');
    const button = el('button', { class: `chip ${health}`, 'aria-pressed': 'false', click: () => { only = only === health ? null : health; updateAddress(); dirty = true; render(); } }, el('i', { class: 'dot' }), number, ` ${health}`);
    chipButtons.set(health, { button, number });
    chips.append(button);
  }
  const problemNumber = el('b', {}, '0');
  const problemChip = el('button', { class: 'chip problems', 'aria-pressed': 'false', hidden: true, click: () => { only = only === 'problems' ? null : 'problems'; updateAddress(); dirty = true; render(); } }, '⚠ ', problemNumber, ' with problems');
  chips.append(problemChip);
  const heads = new Map<string, HTMLElement>();
  for (const column of COLUMNS) {
    if (column.head === '') {
      head.append(el('div', { role: 'columnheader', class: column.class, 'aria-label': 'past 5 min' }));
      continue;
    }
    const button = el('button', { class: 'sort', click: () => { down = order === column.key ? !down : !['agent', 'host'].includes(column.key); order = column.key; updateAddress(); dirty = true; render(); } }, column.head);
    const cell = el('div', { role: 'columnheader', class: column.class }, button);
    heads.set(column.key, cell);
    head.append(cell);
  }

  function updateAddress(): void {
    const wanted: Record<string, string> = {};
    if (order !== 'agent') wanted['sort'] = order;
    if (down) wanted['order'] = 'down';
    if (only !== null) wanted['state'] = only;
    if (filter.value !== '') wanted['filter'] = filter.value;
    go('overview', wanted, 'replace');
    body.scrollTop = 0;  // other rows follow, so start at the top
  }
  filter.addEventListener('input', () => { selected = -1; updateAddress(); dirty = true; render(); });

  function take(row: AgentRow): void {
    const known = agents.get(row.agent) ?? { row, past: row.past.figures.map(() => new Array<number | null>(PAST).fill(null)), end: 0 };
    agents.set(row.agent, known);
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

  function choose(): void {
    const counts = new Map<Health, number>();
    const text = filter.value.trim().toLowerCase();
    const troubled: AgentRow[] = [];
    shown = [];
    for (const known of agents.values()) {
      const { row } = known;
      counts.set(row.health, (counts.get(row.health) ?? 0) + 1);
      const wrong = wrongs(row);
      if (wrong.length > 0) troubled.push(row);
      if (only === 'problems' ? wrong.length === 0 : only !== null && row.health !== only) continue;
      if (text !== '' && !row.agent.toLowerCase().includes(text) && !row.host.toLowerCase().includes(text) && !labelsOf(row).toLowerCase().includes(text)) continue;
      shown.push(known);
    }
    const column = COLUMNS.find((c) => c.key === order) ?? COLUMNS[1]!;
    const turn = down ? -1 : 1;
    shown.sort((a, b) => {
      const x = column.order(a.row);
      const y = column.order(b.row);
      const first = typeof x === 'string' && typeof y === 'string' ? x.localeCompare(y, 'en', { numeric: true }) : Number(x) - Number(y);
      return first !== 0 ? first * turn : a.row.agent.localeCompare(b.row.agent, 'en', { numeric: true });
    });
    for (const [health, { button, number }] of chipButtons) {
      setText(number, String(counts.get(health) ?? 0));
      button.setAttribute('aria-pressed', String(only === health));
    }
    setText(problemNumber, String(troubled.length));
    problemChip.hidden = troubled.length === 0 && only !== 'problems';
    problemChip.setAttribute('aria-pressed', String(only === 'problems'));
    problems.show(troubled);
    for (const [key, cell] of heads) {
      cell.setAttribute('aria-sort', key === order ? (down ? 'descending' : 'ascending') : 'none');
    }
    body.setAttribute('aria-rowcount', String(shown.length + 1));
  }

  function line(): Line {
    const cells: HTMLElement[] = [];
    const canvases: HTMLCanvasElement[] = [];
    const element = el('div', { class: 'fleet-row', role: 'row' });
    for (const column of COLUMNS) {
      const cell = el('div', { role: 'cell', class: column.class });
      if (column.head === '') {
        const canvas = el('canvas', { 'aria-hidden': 'true' });
        canvases.push(canvas);
        cell.append(canvas);
      } else if (column.key === 'health') {
        cell.append(el('i', { class: 'dot' }), el('span', {}));
      } else if (column.key === 'agent') {
        cell.append(el('a', { href: '#/' }), el('span', { class: 'mark' }));
      }
      cells.push(cell);
      element.append(cell);
    }
    rows.append(element);
    return { element, cells, canvases, agent: '', drawn: -1 };
  }

  function write(one: Line, known: Known, index: number): void {
    const { row } = known;
    const { cells, canvases } = one;
    one.element.style.transform = `translateY(${index * ROW}px)`;
    const kind = `fleet-row is-${row.health}${index === selected ? ' selected' : ''}`;
    if (one.element.className !== kind) one.element.className = kind;
    one.element.setAttribute('aria-rowindex', String(index + 2));
    setText(cells[0]!.lastChild!, row.health);
    const why = row.why !== '' ? row.why : Math.abs(row.clock_error) > 0 ? `its clock is ${age(Math.abs(row.clock_error))} ${row.clock_error > 0 ? 'ahead' : 'behind'}` : row.other_host !== '' ? `another host, ${row.other_host}, uses this id` : '';
    if (cells[0]!.title !== why) cells[0]!.title = why;
    const name = cells[1]!.firstChild as HTMLAnchorElement;
    if (one.agent !== row.agent) {
      setText(name, row.agent);
      name.href = link('agent', { agents: row.agent });
      one.agent = row.agent;
      one.drawn = -1;
    }
    const mark = cells[1]!.lastChild as HTMLElement;
    const wrong = wrongs(row).join('\n');
    setText(mark, wrong === '' ? '' : ' ⚠');
    if (mark.title !== wrong) mark.title = wrong;
    const clockMark = row.clock_error !== 0 ? ' ⏱' : row.other_host !== '' ? ' ⚠' : '';
    const labels = labelsOf(row);
    const place = row.host + clockMark + (labels === '' ? '' : ` ${labels}`);
    setText(cells[2]!, place);
    if (cells[2]!.title !== place) cells[2]!.title = place;  // the cell may be truncated
    setText(cells[3]!, percent(row.figures[0]));
    setText(cells[5]!, percent(row.figures[1]));
    setText(cells[7]!, rate(row.figures[2]));
    setText(cells[8]!, rate(row.figures[3]));
    setText(cells[10]!, rate(row.figures[4]));
    setText(cells[11]!, rate(row.figures[5]));
    const server = now + (performance.now() - gotAt) / 1000;
    setText(cells[13]!, row.tick === null ? '–' : age(Math.max(0, server - row.tick)));
    setText(cells[14]!, String(row.revision));
    if (one.drawn === known.end && generation % 5 !== 0) return;
    one.drawn = known.end;
    spark(canvases[0]!, known.past[0]!, 1);
    spark(canvases[1]!, known.past[1]!, 1);
    spark(canvases[2]!, sum(known.past[2], known.past[3]), null);
    spark(canvases[3]!, sum(known.past[4], known.past[5]), null);
  }

  function render(): void {
    if (dirty) choose();
    dirty = false;
    rows.style.height = `${shown.length * ROW}px`;
    const first = Math.max(0, Math.floor(body.scrollTop / ROW) - 2);
    const many = Math.min(shown.length - first, Math.ceil(body.clientHeight / ROW) + 4);
    while (lines.length < many) lines.push(line());
    lines.forEach((one, i) => {
      const known = i < many ? shown[first + i] : undefined;
      one.element.hidden = known === undefined;
      if (known !== undefined) write(one, known, first + i);
    });
    setText(empty, agents.size === 0 ? 'No agents yet. Start one: monitor-agent --server ADDRESS' : shown.length === 0 ? 'No agent matches.' : '');
  }

  let due = 0;
  function soon(): void {
    if (due === 0) due = requestAnimationFrame(() => { due = 0; render(); });
  }
  body.addEventListener('scroll', soon, { passive: true });
  const resized = new ResizeObserver(soon);
  resized.observe(body);
  const timer = window.setInterval(() => { ++generation; soon(); }, 1000);

  async function load(): Promise<void> {
    try {
      const fleet = await ask<Fleet>('/fleet');
      if (closed) return;  // the stream already belongs to another page
      agents.clear();
      now = fleet.now;
      gotAt = performance.now();
      for (const row of fleet.agents) take(row);
      dirty = true;
      soon();
      stream.follow(['fleet'], fleet.live_id, event, () => void load());
    } catch (error) {
      if (closed) return;
      replaceChildren(empty, `The fleet cannot be read: ${(error as Error).message}`);
      window.setTimeout(() => { if (!closed) void load(); }, 2000);
    }
  }

  function event(name: string, data: unknown): void {
    if (name !== 'fleet') return;
    const fleet = data as { now: number; agents: AgentRow[]; forgotten: string[] };
    now = fleet.now;
    gotAt = performance.now();
    for (const row of fleet.agents) take(row);
    for (const agent of fleet.forgotten) agents.delete(agent);
    dirty = true;
    soon();
  }

  function select(by: number): void {
    selected = Math.min(Math.max(selected + by, 0), shown.length - 1);
    const top = selected * ROW;
    if (top < body.scrollTop) body.scrollTop = top;
    if (top + ROW * 2 > body.scrollTop + body.clientHeight) body.scrollTop = top + ROW * 2 - body.clientHeight;
    render();
  }

  void load();
  return {
    element,
    recolour: () => { for (const one of lines) one.drawn = -1; soon(); },
    close: () => {
      closed = true;
      clearInterval(timer);
      resized.disconnect();
      if (due !== 0) cancelAnimationFrame(due);
    },
    key: (pressed) => {
      if (pressed.key === '/') filter.focus();
      else if (pressed.key === 'j' || pressed.key === 'ArrowDown') select(1);
      else if (pressed.key === 'k' || pressed.key === 'ArrowUp') select(-1);
      else if (pressed.key === 'Enter' && selected >= 0 && shown[selected] !== undefined) go('agent', { agents: shown[selected]!.row.agent });
      else return false;
      return true;
    },
  };
}
