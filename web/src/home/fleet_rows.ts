// The rows of the fleet's table. Only visible rows are in the DOM, and a cell is written only where its value changed.
import { AgentRow } from '../lib/api';
import { el, setText } from '../lib/dom';
import { COLUMNS, Known, labelsOf } from '../state/fleet_model';
import { age, percent, rate } from '../lib/format';
import { link } from '../lib/page';
import { wrongs } from '../lib/problems';
import { spark } from '../lib/spark';

export const ROW = 30;  // height in pixels

interface Line { element: HTMLElement; cells: HTMLElement[]; canvases: HTMLCanvasElement[]; agent: string; drawn: number }

// The sum of two lines, point by point.
function sum(a: (number | null)[] = [], b: (number | null)[] = []): (number | null)[] {
  return a.map((v, i) => (v === null && (b[i] ?? null) === null ? null : (v ?? 0) + (b[i] ?? 0)));
}

function setTitle(element: HTMLElement, title: string): void {
  if (element.title !== title) element.title = title;
}

function makeLine(): Line {
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
  return { element, cells, canvases, agent: '', drawn: -1 };
}

// Why the agent's state is what it is.
function whyOf(row: AgentRow): string {
  if (row.why !== '') return row.why;
  if (row.clock_error !== 0) return `its clock is ${age(Math.abs(row.clock_error))} ${row.clock_error > 0 ? 'ahead' : 'behind'}`;
  return row.other_host !== '' ? `another host, ${row.other_host}, uses this id` : '';
}

function writeIdentity(line: Line, row: AgentRow): void {
  const { cells } = line;
  setText(cells[0]!.lastChild!, row.health);
  setTitle(cells[0]!, whyOf(row));
  const name = cells[1]!.firstChild as HTMLAnchorElement;
  if (line.agent !== row.agent) {
    setText(name, row.agent);
    name.href = link('agent', { agents: row.agent });
    line.agent = row.agent;
    line.drawn = -1;
  }
  const mark = cells[1]!.lastChild as HTMLElement;
  const wrong = wrongs(row).join('\n');
  setText(mark, wrong === '' ? '' : ' ⚠');
  setTitle(mark, wrong);
  const clockMark = row.clock_error !== 0 ? ' ⏱' : row.other_host !== '' ? ' ⚠' : '';
  const labels = labelsOf(row);
  const place = row.host + clockMark + (labels === '' ? '' : ` ${labels}`);
  setText(cells[2]!, place);
  setTitle(cells[2]!, place);  // the cell may be truncated
}

function writeFigures({ cells }: Line, row: AgentRow, now: number): void {
  setText(cells[3]!, percent(row.figures[0]));
  setText(cells[5]!, percent(row.figures[1]));
  setText(cells[7]!, rate(row.figures[2]));
  setText(cells[8]!, rate(row.figures[3]));
  setText(cells[10]!, rate(row.figures[4]));
  setText(cells[11]!, rate(row.figures[5]));
  setText(cells[13]!, row.tick === null ? '–' : age(Math.max(0, now - row.tick)));
  setText(cells[14]!, String(row.revision));
}

function drawPast({ canvases }: Line, past: (number | null)[][]): void {
  spark(canvases[0]!, past[0]!, 1);
  spark(canvases[1]!, past[1]!, 1);
  spark(canvases[2]!, sum(past[2], past[3]), null);
  spark(canvases[3]!, sum(past[4], past[5]), null);
}

export class FleetRows {
  readonly element = el('div', { class: 'fleet-rows', role: 'rowgroup' });
  private readonly lines: Line[] = [];

  // `now` is the server's time. `redraw`: also sparklines whose values are the same.
  write(shown: Known[], selected: number, scrolled: { top: number; height: number }, now: number, redraw: boolean): void {
    this.element.style.height = `${shown.length * ROW}px`;
    const first = Math.max(0, Math.floor(scrolled.top / ROW) - 2);
    const many = Math.min(shown.length - first, Math.ceil(scrolled.height / ROW) + 4);
    while (this.lines.length < many) {
      const line = makeLine();
      this.lines.push(line);
      this.element.append(line.element);
    }
    // Row k always has the same line of the DOM, so that scrolling writes only the rows that come into sight.
    const used = new Set<Line>();
    for (let k = first; k < first + many; ++k) {
      const line = this.lines[k % this.lines.length]!;
      used.add(line);
      line.element.hidden = false;
      this.writeLine(line, shown[k]!, k, k === selected, now, redraw);
    }
    for (const line of this.lines) if (!used.has(line)) line.element.hidden = true;
  }

  private writeLine(line: Line, known: Known, index: number, selected: boolean, now: number, redraw: boolean): void {
    line.element.style.transform = `translateY(${index * ROW}px)`;
    const kind = `fleet-row is-${known.row.health}${selected ? ' selected' : ''}`;
    if (line.element.className !== kind) line.element.className = kind;
    line.element.setAttribute('aria-rowindex', String(index + 2));
    writeIdentity(line, known.row);
    writeFigures(line, known.row, now);
    if (line.drawn === known.end && !redraw) return;
    line.drawn = known.end;
    drawPast(line, known.past);
  }

  // The colours have changed.
  forgetDrawn(): void {
    for (const line of this.lines) line.drawn = -1;
  }
}
