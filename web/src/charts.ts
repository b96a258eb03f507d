// A chart: one metric, one line a series. Thin over uPlot: data in, ranges out.
import uPlot from 'uplot';
import { Series } from './api';
import { axis, value } from './format';

export interface Line {
  key: string;      // agent and series, as events name them
  label: string;
  times: number[];
  values: (number | null)[];
  min?: (number | null)[];
  max?: (number | null)[];
}

const DARK = ['#5cc8a8', '#7aa7ff', '#f0a35e', '#e07a9b', '#b9a3ff', '#d6cf6a', '#6fd0e0', '#e58f6b', '#9ccc7a', '#c2c8d0'];
const LIGHT = ['#1f6f5c', '#2f62c9', '#b35a10', '#ad3560', '#6b4fd0', '#7a7212', '#12798c', '#a9461c', '#4c7d22', '#5a6472'];
export const MOST_LINES = 40;
let drawn = false;  // any chart, since the page was opened

function dark(): boolean {
  const theme = document.documentElement.dataset['theme'];
  return theme === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
}
function colour(i: number): string {
  const list = dark() ? DARK : LIGHT;
  return list[i % list.length]!;
}
function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Time as people elsewhere than in America write it; uPlot's form: from which step on, how, and what is added where the
// year, the day or the minute changes.
const DATE = '\n{YYYY}-{MM}-{DD}';
const TIMES = [
  [31536000, '{YYYY}', null, null, null, null, null, null, 1],
  [2419200, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86400, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', DATE, null, '\n{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', DATE, null, '\n{MM}-{DD}', null, null, null, 1],
  [0.001, ':{ss}.{fff}', `${DATE} {HH}:{mm}`, null, '\n{MM}-{DD} {HH}:{mm}', null, '\n{HH}:{mm}', null, 1],
];
// Steps of an axis of bytes: round in MB, not in digits.
const BYTES = Array.from({ length: 50 }, (_, i) => 2 ** i);

// All lines on one time axis. A gap of several usual distances is drawn as one.
export function align(lines: Line[]): uPlot.AlignedData {
  if (lines.length === 1) {
    const one = lines[0]!;
    return withGaps(one.times, [one.values]);
  }
  const all = new Set<number>();
  for (const line of lines) for (const t of line.times) all.add(t);
  const times = [...all].sort((a, b) => a - b);
  const places = new Map(times.map((t, i) => [t, i]));
  const columns = lines.map((line) => {
    const usual = distance(line.times);
    const column: (number | null | undefined)[] = new Array(times.length).fill(undefined);
    line.times.forEach((t, i) => {
      const place = places.get(t)!;
      column[place] = line.values[i] ?? null;
      const before = line.times[i - 1];
      if (before !== undefined && t - before > usual * 3.5) {
        const gap = places.get(before)! + 1;
        if (gap < place) column[gap] = null;
      }
    });
    return column;
  });
  return [times, ...columns] as uPlot.AlignedData;
}

function distance(times: number[]): number {
  if (times.length < 3) return Infinity;
  const last = times.slice(-200);
  const steps = last.slice(1).map((t, i) => t - last[i]!).sort((a, b) => a - b);
  return Math.max(steps[Math.floor(steps.length / 2)]!, 0.05);
}

function withGaps(times: number[], columns: (number | null)[][]): uPlot.AlignedData {
  const usual = distance(times);
  const t: number[] = [];
  const out: (number | null)[][] = columns.map(() => []);
  times.forEach((time, i) => {
    const before = times[i - 1];
    if (before !== undefined && time - before > usual * 3.5) {
      t.push(before + usual);
      for (const column of out) column.push(null);
    }
    t.push(time);
    columns.forEach((column, k) => out[k]!.push(column[i] ?? null));
  });
  return [t, ...out] as uPlot.AlignedData;
}

export class Chart {
  private plot: uPlot | null = null;
  private lines: Line[] = [];
  private labels = '';

  constructor(
    private readonly host: HTMLElement,
    private readonly unit: string,
    private readonly metric: string,
    private readonly onZoom: (from: number, to: number) => void,
    private readonly onReset: () => void,
  ) {}

  draw(lines: Line[], from: number, to: number): void {
    this.lines = lines.slice(0, MOST_LINES);
    const labels = this.lines.map((line) => line.label).join('\n');
    if (this.plot === null || labels !== this.labels) this.make(labels);
    this.plot?.setData(align(this.lines), false);
    this.plot?.setScale('x', { min: from, max: to });
    // uPlot draws at the end of this turn, and empties the legend then.
    queueMicrotask(() => this.showLatest());
    if (!drawn) performance.mark('first-chart');
    drawn = true;
  }

  // With no cursor on it the legend says what is newest.
  private showLatest(): void {
    const plot = this.plot;
    if (plot === null || (plot.cursor.left ?? -1) >= 0) return;
    const idxs = plot.data.map((column) => {
      for (let i = column.length - 1; i >= 0; --i) if (column[i] !== null && column[i] !== undefined) return i;
      return null;
    });
    plot.setLegend({ idxs } as never, false);
  }

  resize(): void {
    const width = this.host.clientWidth;
    if (this.plot !== null && width > 0 && this.plot.width !== width) this.plot.setSize({ width, height: this.height() });
  }

  // Drawn again, it is made anew, with the colours of then.
  close(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  private height(): number {
    return this.host.clientWidth < 420 ? 150 : 180;
  }

  private make(labels: string): void {
    this.plot?.destroy();
    this.labels = labels;
    const show = (_: uPlot, v: number | null) => value(this.unit, this.metric, v);
    const share = this.unit === '1' && this.metric.endsWith('utilization');
    const style = { stroke: ink('--dim'), grid: { stroke: ink('--line'), width: 1 }, ticks: { stroke: ink('--line'), width: 1 }, font: '11px system-ui, sans-serif' };
    const options: uPlot.Options = {
      width: Math.max(this.host.clientWidth, 200),
      height: this.height(),
      cursor: { sync: { key: 'all', setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
      legend: { live: true },
      scales: { x: { time: true }, y: { range: (_, min, max) => {
        if (min === null || max === null) return [0, 1];
        if (share) return [0, Math.max(1e-3, max > 0.5 ? Math.max(1, max) : max * 1.25)];
        return [Math.min(0, min), max <= 0 ? 1 : max * 1.08];
      } } },
      axes: [{ ...style, values: TIMES } as uPlot.Axis, { ...style, size: 84, ...(this.unit.startsWith('By') ? { incrs: BYTES } : {}), values: (_, ticks) => axis(this.unit, this.metric, ticks) }],
      series: [{ label: 'time' }, ...this.lines.map((line, i) => ({
        label: line.label, stroke: colour(i), width: 1.25, value: show, points: { show: false }, spanGaps: false,
      }))],
      hooks: {
        setSelect: [(plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          const from = plot.posToVal(left, 'x');
          const to = plot.posToVal(left + width, 'x');
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          this.onZoom(from, to);
        }],
      },
    };
    this.host.replaceChildren();
    this.plot = new uPlot(options, align(this.lines), this.host);
    this.plot.over.addEventListener('dblclick', () => this.onReset());
  }
}

export function lineOf(series: Series, label: string, key: string): Line {
  return { key, label, times: series.times, values: series.values ?? series.avg ?? [], min: series.min, max: series.max };
}
