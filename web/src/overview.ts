// The fleet: one row per agent, with what needs attention above them. Rows are written at most once a second, and when
// the user changes what is shown.
import { AgentRow, ask, Fleet } from './api';
import { el, replaceChildren, setText } from './dom';
import { FleetControls } from './fleet_controls';
import { FleetModel, Known } from './fleet_model';
import { FleetRows, ROW } from './fleet_rows';
import { go, Page } from './page';
import { ProblemList } from './problems';
import { stream } from './stream';

const REDRAW = 5;  // seconds

class Overview implements Page {
  readonly element: HTMLElement;
  private readonly model = new FleetModel();
  private readonly rows = new FleetRows();
  private readonly problems = new ProblemList();
  private readonly controls: FleetControls;
  private readonly body: HTMLElement;
  private readonly empty = el('p', { class: 'empty' });
  private readonly resized = new ResizeObserver(() => this.soon());
  private readonly timer: number;
  private shown: Known[] = [];
  private selected = -1;
  private now = 0;    // the server's time, in seconds,
  private gotAt = 0;  // and when it came
  private dirty = true;
  private seconds = 0;
  private frame = 0;
  private closed = false;

  constructor(parameters: URLSearchParams) {
    this.controls = new FleetControls(parameters, (filtered) => this.choiceChanged(filtered));
    this.body = el('div', { class: 'fleet-body', tabindex: 0, role: 'table', 'aria-label': 'Agents' }, el('div', { role: 'rowgroup', class: 'sticky' }, this.controls.head), this.rows.element);
    const unit = el('span', { class: 'dim wide' }, 'disk and net in MB/s');
    this.element = el('section', { class: 'overview' }, el('h1', { class: 'visually-hidden' }, 'Overview'),
      el('div', { class: 'tools' }, this.controls.chips, this.controls.filter, unit), this.problems.element, this.body, this.empty);
    this.body.addEventListener('scroll', () => this.soon(), { passive: true });
    this.resized.observe(this.body);
    this.timer = window.setInterval(() => { ++this.seconds; this.soon(); }, 1000);
    void this.load();
  }

  recolour(): void {
    this.rows.forgetDrawn();
    this.soon();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.resized.disconnect();
    if (this.frame !== 0) cancelAnimationFrame(this.frame);
  }

  key(pressed: KeyboardEvent): boolean {
    const chosen = this.shown[this.selected];
    if (pressed.key === '/') this.controls.filter.focus();
    else if (pressed.key === 'j' || pressed.key === 'ArrowDown') this.select(1);
    else if (pressed.key === 'k' || pressed.key === 'ArrowUp') this.select(-1);
    else if (pressed.key === 'Enter' && chosen !== undefined) go('agent', { agents: chosen.row.agent });
    else return false;
    return true;
  }

  private async load(): Promise<void> {
    try {
      const fleet = await ask<Fleet>('/fleet');
      if (this.closed) return;  // the stream already belongs to another page
      this.model.agents.clear();
      this.take(fleet.now, fleet.agents);
      stream.follow(['fleet'], fleet.live_id, (name, data) => this.onEvent(name, data), () => void this.load());
    } catch (error) {
      if (this.closed) return;
      replaceChildren(this.empty, `The fleet cannot be read: ${(error as Error).message}`);
      window.setTimeout(() => { if (!this.closed) void this.load(); }, 2000);
    }
  }

  private onEvent(name: string, data: unknown): void {
    if (name !== 'fleet') return;
    const fleet = data as { now: number; agents: AgentRow[]; forgotten: string[] };
    this.take(fleet.now, fleet.agents);
    for (const agent of fleet.forgotten) this.model.agents.delete(agent);
  }

  private take(now: number, rows: AgentRow[]): void {
    this.now = now;
    this.gotAt = performance.now();
    for (const row of rows) this.model.take(row);
    this.dirty = true;
    this.soon();
  }

  private choiceChanged(filtered: boolean): void {
    if (filtered) this.selected = -1;
    this.body.scrollTop = 0;  // other rows follow, so start at the top
    this.dirty = true;
    this.render();
  }

  private choose(): void {
    const chosen = this.model.choose(this.controls.choice());
    this.shown = chosen.shown;
    this.controls.show(chosen);
    this.problems.show(chosen.troubled);
    this.body.setAttribute('aria-rowcount', String(this.shown.length + 1));
    this.dirty = false;
  }

  private render(): void {
    if (this.dirty) this.choose();
    const server = this.now + (performance.now() - this.gotAt) / 1000;
    this.rows.write(this.shown, this.selected, { top: this.body.scrollTop, height: this.body.clientHeight }, server, this.seconds % REDRAW === 0);
    setText(this.empty, this.model.agents.size === 0 ? 'No agents yet. Start one: monitor-agent --server ADDRESS' : this.shown.length === 0 ? 'No agent matches.' : '');
  }

  // Once for all that changes until the next frame.
  private soon(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => { this.frame = 0; this.render(); });
  }

  private select(by: number): void {
    this.selected = Math.min(Math.max(this.selected + by, 0), this.shown.length - 1);
    const top = this.selected * ROW;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    if (top + ROW * 2 > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = top + ROW * 2 - this.body.clientHeight;
    this.render();
  }
}

export function overview(parameters: URLSearchParams): Page {
  return new Overview(parameters);
}
