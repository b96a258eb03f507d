// One chart per metric. Only visible charts are drawn, one per animation frame: drawing a screenful at once would block
// the page.
import { MetricText, Range, Series, Tick } from '../lib/api';
import { Chart, Line, lineOf, MOST_LINES } from './charts';
import { el, replaceChildren } from '../lib/dom';
import { seriesName } from '../lib/format';

const FIRST = ['system.cpu.utilization', 'system.memory.utilization', 'system.disk.io.rate', 'system.network.io.rate', 'system.memory.usage', 'system.cpu.load_average'];
const MOST_CHARTS = 60;
const WIDTHS: Record<string, number> = { '1s': 1, '10s': 10, '1m': 60, '1h': 3600 };  // seconds in each average

interface Panel { chart: Chart; host: HTMLElement; lines: Line[]; element: HTMLElement; caption: HTMLElement; seen: boolean; dirty: boolean }

function rank(metric: string): number {
  const at = FIRST.findIndex((one) => metric.startsWith(one));
  return at < 0 ? FIRST.length : at;
}

function has(times: number[], wanted: number): boolean {
  let at = times.length - 1;
  while (at >= 0 && times[at]! > wanted + 1e-5) --at;
  return at >= 0 && times[at]! > wanted - 1e-5;
}

function byMetric(range: Range): Map<string, Series[]> {
  const groups = new Map<string, Series[]>();
  for (const series of range.series) {
    const list = groups.get(series.metric) ?? [];
    list.push(series);
    groups.set(series.metric, list);
  }
  return groups;
}

function label(series: Series, withAgent: boolean): string {
  const labels = Object.values(series.labels).join(' ');
  return [withAgent ? series.agent : '', labels].filter((one) => one !== '').join(' ') || series.metric.split('.').pop() || series.metric;
}

// "CPU utilization  system.cpu.utilization": the declared title and the name; only the name if there is no title.
function caption(element: HTMLElement, name: string, text: MetricText | undefined, lines: number): void {
  const names = lines > MOST_LINES ? `${name} · ${MOST_LINES} of ${lines} lines` : name;
  const title = text?.title ?? '';
  if (element.textContent === `${title}${title === '' ? '' : ' '}${names}`) return;
  element.title = text?.description ?? '';
  replaceChildren(element, title, title === '' ? names : el('small', {}, ` ${names}`));
}

// Appends the ticks that arrived while the range was loading: only the previous line has them.
function appendNewer(line: Line, before: Line | undefined): Line {
  if (before === undefined) return line;
  const last = line.times[line.times.length - 1] ?? 0;
  let at = before.times.length;
  while (at > 0 && before.times[at - 1]! > last + 1e-5) --at;
  line.times.push(...before.times.slice(at));
  line.values.push(...before.values.slice(at));
  return line;
}

export interface Taken {
  unknown: string[];  // series without a chart
  late: boolean;      // the tick is older than the newest one
}

export class ChartGrid {
  readonly element = el('div', { class: 'charts' });
  private panels = new Map<string, Panel>();
  private byKey = new Map<string, { panel: Panel; line: Line }>();
  private resolution = '';
  private frame = 0;
  private readonly visibilityObserver: IntersectionObserver;
  private readonly resized: ResizeObserver;

  // `bounds` returns the visible range of time. `onZoom`: the user selected a part of it; `onReset`: the user wants
  // live data again.
  constructor(private readonly bounds: () => [number, number], private readonly onZoom: (from: number, to: number) => void, private readonly onReset: () => void) {
    this.visibilityObserver = new IntersectionObserver((entries) => this.onVisibility(entries), { rootMargin: '100px' });
    this.resized = new ResizeObserver((entries) => {
      for (const { target } of entries) [...this.panels.values()].find((one) => one.host === target)?.chart.resize();
    });
  }

  // Shows exactly these series. With `live`, lines keep ticks that are newer than the range. Returns the number of
  // metrics, and the number of those shown.
  show(range: Range, live: boolean, withAgent: boolean): [number, number] {
    const continues = live && this.resolution === 'full' && range.resolution === 'full';
    const linesBefore = this.byKey;
    const before = this.panels;
    this.resolution = range.resolution;
    const groups = byMetric(range);
    const order = [...groups.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).slice(0, MOST_CHARTS);
    this.panels = new Map();
    this.byKey = new Map();
    for (const name of order) {
      const list = groups.get(name)!;
      const panel = before.get(name) ?? this.make(name, list[0]!.unit);
      caption(panel.caption, name, range.metrics[name], list.length);
      panel.lines = list.map((series) => {
        const line = lineOf(series, label(series, withAgent), `${series.agent} ${seriesName(series.metric, series.labels)}`);
        return continues ? appendNewer(line, linesBefore.get(line.key)?.line) : line;
      });
      for (const line of panel.lines) this.byKey.set(line.key, { panel, line });
      panel.dirty = true;
      this.panels.set(name, panel);
    }
    for (const [name, panel] of before) if (!this.panels.has(name)) this.remove(panel);
    const elements = [...this.panels.values()].map((panel) => panel.element);
    if (elements.length !== this.element.children.length || elements.some((one, i) => one !== this.element.children[i])) this.element.replaceChildren(...elements);
    this.schedule();
    return [groups.size, order.length];
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
        if (tick.time > oldest && !has(line.times, tick.time)) taken.late = true;
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

  redraw(): void {
    for (const panel of this.panels.values()) panel.dirty = true;
    this.schedule();
  }
  recolour(): void {
    for (const panel of this.panels.values()) panel.chart.close();
    this.redraw();
  }
  // Removes all charts; shows `instead`, if given.
  clear(instead?: HTMLElement): void {
    for (const panel of this.panels.values()) this.remove(panel);
    this.panels = new Map();
    this.byKey = new Map();
    this.resolution = '';
    replaceChildren(this.element, instead);
  }
  close(): void {
    this.clear();
    if (this.frame !== 0) cancelAnimationFrame(this.frame);
    this.visibilityObserver.disconnect();
    this.resized.disconnect();
  }

  private make(name: string, unit: string): Panel {
    const host = el('div', { class: 'plot' });
    const caption = el('figcaption', {});
    const element = el('figure', { class: 'panel', 'data-metric': name }, caption, host);
    this.visibilityObserver.observe(element);
    this.resized.observe(host);
    return { chart: new Chart(host, unit, name, this.onZoom, this.onReset), host, lines: [], element, caption, seen: false, dirty: true };
  }
  private remove(panel: Panel): void {
    this.visibilityObserver.unobserve(panel.element);
    this.resized.unobserve(panel.host);
    panel.chart.close();
  }

  private onVisibility(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const panel = [...this.panels.values()].find((one) => one.element === entry.target);
      if (panel === undefined) continue;
      panel.seen = entry.isIntersecting;
      if (panel.seen) panel.dirty = true;
    }
    this.schedule();
  }
  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const due = [...this.panels.values()].filter((one) => one.dirty && one.seen);
      const next = due[0];
      if (next === undefined) return;
      next.dirty = false;
      next.chart.draw(next.lines, ...this.bounds(), WIDTHS[this.resolution] ?? 0);
      if (due.length > 1) this.schedule();
    });
  }
}
