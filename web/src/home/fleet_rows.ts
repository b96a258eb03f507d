// The rows of the fleet's table. Only the rows in sight are in the document, in the order of the table, and a cell is
// written only where its value has changed. A row stays with its agent: focus and selection follow it.
import { AgentRow } from '../lib/api';
import { COLUMNS, Known, labelsOf, PAST } from '../state/fleet_model';
import { age, percent, rate } from '../lib/format';
import { link } from '../lib/page';
import { wrongs } from '../lib/problems';
import { HEIGHT, shapeOf } from '../lib/spark';

export const ROW = 30;  // height in pixels
const SVG = 'http://www.w3.org/2000/svg';
const BEYOND = 4;       // rows above and below of those in sight

interface Line {
  element: HTMLElement;
  name: HTMLAnchorElement;
  texts: Text[];             // one for each column; those of sparklines are empty
  state: HTMLElement;
  mark: HTMLElement;
  place: HTMLElement;
  sparks: SVGPathElement[];
  agent: string;             // whose row this is; empty: nobody's
  index: number;
  row: AgentRow | null;      // as written
  drawn: number;             // the end of the sparklines
}

// The sum of two lines, point by point.
function sum(a: (number | null)[] = [], b: (number | null)[] = []): (number | null)[] {
  return a.map((v, i) => (v === null && (b[i] ?? null) === null ? null : (v ?? 0) + (b[i] ?? 0)));
}

function setData(text: Text, value: string): void {
  if (text.data !== value) text.data = value;
}

function setTitle(element: HTMLElement, title: string): void {
  if (element.title !== title) element.title = title;
}

function child<K extends keyof HTMLElementTagNameMap>(parent: Element, tag: K, kind = ''): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (kind !== '') element.className = kind;
  parent.append(element);
  return element;
}

function makeSpark(cell: Element): SVGPathElement {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  for (const [name, value] of [['class', 'spark'], ['viewBox', `0 0 ${PAST - 1} ${HEIGHT}`], ['preserveAspectRatio', 'none'], ['aria-hidden', 'true']] as const) svg.setAttribute(name, value);
  path.setAttribute('class', 'spark-line');
  svg.append(path);
  cell.append(svg);
  return path;
}

function makeLine(): Line {
  const element = document.createElement('div');
  element.className = 'fleet-row';
  element.setAttribute('role', 'row');
  const line = { element, texts: [], sparks: [], agent: '', index: -1, row: null, drawn: -1 } as unknown as Line;
  for (const column of COLUMNS) {
    const cell = child(element, 'div', column.class);
    cell.setAttribute('role', 'cell');
    const text = document.createTextNode('');
    line.texts.push(text);
    if (column.head === '') {
      line.sparks.push(makeSpark(cell));
    } else if (column.key === 'health') {
      line.state = cell;
      child(cell, 'i', 'dot');
      cell.append(text);
    } else if (column.key === 'agent') {
      line.name = child(cell, 'a');
      line.name.append(text);
      line.mark = child(cell, 'span', 'mark');
    } else {
      if (column.key === 'host') line.place = cell;
      cell.append(text);
    }
  }
  return line;
}

// Why the agent's state is what it is.
function whyOf(row: AgentRow): string {
  if (row.why !== '') return row.why;
  if (row.clock_error !== 0) return `its clock is ${age(Math.abs(row.clock_error))} ${row.clock_error > 0 ? 'ahead' : 'behind'}`;
  return row.other_host !== '' ? `another host, ${row.other_host}, uses this id` : '';
}

function writeIdentity(line: Line, row: AgentRow): void {
  const { texts } = line;
  setData(texts[0]!, row.health);
  setTitle(line.state, whyOf(row));
  if (line.agent !== row.agent) {
    setData(texts[1]!, row.agent);
    line.name.href = link('agent', { agents: row.agent });
    line.agent = row.agent;
    line.drawn = -1;
  }
  const wrong = wrongs(row).join('\n');
  const sign = wrong === '' ? '' : ' ⚠';
  if (line.mark.textContent !== sign) line.mark.textContent = sign;
  setTitle(line.mark, wrong);
  const clockMark = row.clock_error !== 0 ? ' ⏱' : row.other_host !== '' ? ' ⚠' : '';
  const labels = labelsOf(row);
  const place = row.host + clockMark + (labels === '' ? '' : ` ${labels}`);
  setData(texts[2]!, place);
  setTitle(line.place, place);  // the cell may be truncated
}

function writeFigures({ texts }: Line, row: AgentRow): void {
  setData(texts[3]!, percent(row.figures[0]));
  setData(texts[5]!, percent(row.figures[1]));
  setData(texts[7]!, rate(row.figures[2]));
  setData(texts[8]!, rate(row.figures[3]));
  setData(texts[10]!, rate(row.figures[4]));
  setData(texts[11]!, rate(row.figures[5]));
  setData(texts[14]!, String(row.revision));
}

function drawPast({ sparks }: Line, past: (number | null)[][]): void {
  const lines: [(number | null)[], number | null][] = [[past[0]!, 1], [past[1]!, 1], [sum(past[2], past[3]), null], [sum(past[4], past[5]), null]];
  lines.forEach(([values, top], i) => sparks[i]!.setAttribute('d', shapeOf(values, top).line));
}

function writeLine(line: Line, known: Known, index: number, selected: boolean, now: number): void {
  const { row } = known;
  if (line.index !== index) {
    line.index = index;
    line.element.style.transform = `translateY(${index * ROW}px)`;
    line.element.setAttribute('aria-rowindex', String(index + 2));
  }
  const kind = `fleet-row is-${row.health}${selected ? ' selected' : ''}`;
  if (line.element.className !== kind) line.element.className = kind;
  if (line.row !== row) {
    writeIdentity(line, row);
    writeFigures(line, row);
    line.row = row;
  }
  setData(line.texts[13]!, row.tick === null ? '–' : age(Math.max(0, now - row.tick)));
  if (line.drawn === known.end) return;
  line.drawn = known.end;
  drawPast(line, known.past);
}

interface Placed { known: Known; index: number }

export class FleetRows {
  readonly element = document.createElement('div');
  private lines = new Map<string, Line>();  // by agent, in the order of the table
  private height = -1;

  constructor() {
    this.element.className = 'fleet-rows';
    this.element.setAttribute('role', 'rowgroup');
  }

  // `now` is the server's time.
  write(shown: Known[], selected: number, scrolled: { top: number; height: number }, now: number): void {
    if (this.height !== shown.length) this.element.style.height = `${shown.length * ROW}px`;
    this.height = shown.length;
    const first = Math.max(0, Math.floor(scrolled.top / ROW) - BEYOND);
    const end = Math.min(shown.length, first + Math.ceil(scrolled.height / ROW) + 2 * BEYOND);
    const wanted: Placed[] = [];
    for (let i = first; i < end; ++i) wanted.push({ known: shown[i]!, index: i });
    const focused = this.focused();
    const at = focused === '' ? -1 : shown.findIndex((one) => one.row.agent === focused);
    if (at >= 0 && at < first) wanted.unshift({ known: shown[at]!, index: at });
    else if (at >= end) wanted.push({ known: shown[at]!, index: at });
    this.place(wanted);
    for (const { known, index } of wanted) writeLine(this.lines.get(known.row.agent)!, known, index, index === selected, now);
  }

  // The agent whose row has the focus: the row stays when it is scrolled out of sight.
  private focused(): string {
    const row = document.activeElement?.closest('.fleet-row');
    for (const line of this.lines.values()) if (line.element === row) return line.agent;
    return '';
  }

  // Gives each of these agents a row, that of an agent out of sight if it has none, and puts the rows in order.
  private place(wanted: Placed[]): void {
    const lines = new Map<string, Line | null>();
    for (const { known: { row: { agent } } } of wanted) {
      lines.set(agent, this.lines.get(agent) ?? null);
      this.lines.delete(agent);
    }
    const free = [...this.lines.values()];
    for (const line of free) line.element.remove();
    for (const [agent, line] of lines) if (line === null) lines.set(agent, free.pop() ?? makeLine());
    this.lines = lines as Map<string, Line>;
    const focused = document.activeElement as HTMLElement;
    let next: Element | null = null;
    for (const { element } of [...this.lines.values()].reverse()) {
      if (element.parentNode === null || element.nextSibling !== next) this.element.insertBefore(element, next);
      next = element;
    }
    if (focused !== document.activeElement && this.element.contains(focused)) focused.focus({ preventScroll: true });  // its row was moved
  }
}
