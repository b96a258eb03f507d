// The charts of a page: which there are, their lines, and when they are drawn. Only visible charts are drawn, one per
// animation frame: drawing a screenful at once would block the page. Knows the DOM only through the charts that draw.
import { signal } from '@preact/signals';
import type { Range, Tick } from '../lib/api';
import { seriesName } from '../lib/format';
import { appendNewer, hasTime, lineOf, type Line } from './lines';
import { specsOf, type Labels, type Spec } from './sections';

const MOST_CHARTS = 60;
const DEEP = new Set(['cpu.logical_number,cpu.mode']);
const WIDTHS: Record<string, number> = { '1s': 1, '10s': 10, '1m': 60, '1h': 3600 };  // seconds in each average

export interface Drawing { draw(lines: Line[], from: number, to: number, width: number): void }

export interface Panel {
  readonly key: string;
  spec: Spec;
  lines: Line[];
  past: Line[];  // of the time that is compared with
  drawing: Drawing | null;
  seen: boolean;
  dirty: boolean;
}

export interface Taken {
  unknown: string[];  // series without a chart
  late: boolean;      // the tick is older than the newest one
}

export class Panels {
  readonly shown = signal<Panel[]>([]);
  readonly version = signal(0);  // advances when lines have been replaced, not with each tick
  metrics = 0;                   // how many charts there would be without a limit
  private byKey = new Map<string, { panel: Panel; line: Line }>();
  private resolution = '';
  private frame = 0;
  private closed = false;

  // `bounds` returns the visible range of time.
  constructor(private readonly bounds: () => [number, number]) {}

  get width(): number {
    return WIDTHS[this.resolution] ?? 0;
  }

  // Shows exactly these series. With `live`, lines keep ticks that are newer than the range.
  // `all`: also charts of parts of parts, such as the modes of each processor, which are too many for a dashboard.
  show(range: Range, live: boolean, agents: number, all: boolean, own: Record<string, Labels>): void {
    const continues = live && this.resolution === 'full' && range.resolution === 'full';
    const linesBefore = this.byKey;
    const before = new Map(this.shown.value.map((one) => [one.key, one]));
    this.resolution = range.resolution;
    this.byKey = new Map();
    const every = specsOf(range, agents, own);
    const specs = every.filter((one) => all || !DEEP.has(one.by));
    this.metrics = every.length;
    const panels = specs.slice(0, MOST_CHARTS).map((spec) => {
      const panel = before.get(spec.key) ?? { key: spec.key, spec, lines: [], past: [], drawing: null, seen: false, dirty: true };
      panel.spec = spec;
      panel.lines = spec.series.map(({ series, key, label, below }) => {
        const line = lineOf(series, label, key, below);
        return continues ? appendNewer(line, linesBefore.get(line.key)?.line) : line;
      });
      for (const line of panel.lines) this.byKey.set(line.key, { panel, line });
      panel.dirty = true;
      return panel;
    });
    // A series that no line shows, such as the mode idle, is known all the same.
    for (const one of range.series) {
      const key = `${one.agent} ${seriesName(one.metric, one.labels)}`;
      if (!this.byKey.has(key) && panels[0] !== undefined) this.byKey.set(key, { panel: panels[0], line: lineOf({ ...one, times: [], values: [] }, '', key, false) });
    }
    this.shown.value = panels;
    ++this.version.value;
    this.schedule();
  }

  // Lines of the past, moved to the present; null: none.
  compare(range: Range | null, by: number, label: string, agents: number, own: Record<string, Labels> = {}): void {
    const specs = new Map(range === null ? [] : specsOf(range, agents, own).map((one) => [one.key, one]));
    for (const panel of this.shown.value) {
      const spec = specs.get(panel.key);
      panel.past = spec === undefined || panel.spec.mode === 'stack' ? [] : spec.series.map((one) => {
        const line = lineOf(one.series, `${one.label} ${label}`, '', one.below);
        return { ...line, past: true, times: line.times.map((t) => t + by) };
      });
      panel.dirty = true;
    }
    this.schedule();
  }

  // Adds a live tick, and removes points before `oldest`.
  take(tick: Tick, oldest: number): Taken {
    const taken: Taken = { unknown: [], late: false };
    for (const [name, v] of Object.entries(tick.values)) {
      const key = `${tick.agent} ${name}`;
      const found = this.byKey.get(key);
      if (found === undefined) {
        taken.unknown.push(key);
        continue;
      }
      const { line, panel } = found;
      const last = line.times[line.times.length - 1];
      if (last !== undefined && tick.time <= last + 1e-5) {
        // A late tick, e.g. from a spool; the history contains it in the right place.
        if (tick.time > oldest && !hasTime(line.times, tick.time)) taken.late = true;
        continue;
      }
      line.times.push(tick.time);
      line.values.push(v);
      if (line.times.length > 64 && line.times[32]! < oldest) {
        line.times.splice(0, 32);
        line.values.splice(0, 32);
      }
      panel.dirty = true;
    }
    this.schedule();
    return taken;
  }

  attach(panel: Panel, drawing: Drawing | null, seen: boolean): void {
    panel.drawing = drawing;
    panel.seen = seen;
    if (seen) panel.dirty = true;
    this.schedule();
  }

  redraw(): void {
    for (const panel of this.shown.value) panel.dirty = true;
    this.schedule();
  }

  // Nothing is drawn afterwards: the charts of a page are detached after the page is closed.
  close(): void {
    this.closed = true;
    this.clear();
    cancelAnimationFrame(this.frame);
  }

  clear(): void {
    this.shown.value = [];
    this.byKey = new Map();
    this.resolution = '';
  }

  private schedule(): void {
    if (this.frame !== 0 || this.closed) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const due = this.shown.value.filter((one) => one.dirty && one.seen && one.drawing !== null);
      const next = due[0];
      if (next === undefined) return;
      next.dirty = false;
      next.drawing!.draw([...next.lines, ...next.past], ...this.bounds(), this.width);
      if (due.length > 1) this.schedule();
    });
  }
}
