// A chart of one metric, with one line for each series. A thin wrapper around uPlot.
import uPlot from 'uplot';
import { Series } from '../lib/api';
import { clock } from '../lib/format';
import { axis, humanValue } from '../lib/human';
import { align, alone } from '../lib/lines';

export interface Line {
  key: string;      // agent and series, as in events
  label: string;
  times: number[];
  values: (number | null)[];
  min?: (number | null)[];
  max?: (number | null)[];
}

const DARK = ['#5cc8a8', '#7aa7ff', '#f0a35e', '#e07a9b', '#b9a3ff', '#d6cf6a', '#6fd0e0', '#e58f6b', '#9ccc7a', '#c2c8d0'];
const LIGHT = ['#1f6f5c', '#2f62c9', '#b35a10', '#ad3560', '#6b4fd0', '#7a7212', '#12798c', '#a9461c', '#4c7d22', '#5a6472'];
export const MOST_LINES = 40;
let drawn = false;  // true once any chart was drawn since the page was opened

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

// Labels of the time axis in uPlot's form, with a 24 h clock and ISO dates: the smallest step, the format, and the text
// added where the year, the day or the minute changes.
const DATE = '\n{YYYY}-{MM}-{DD}';
const TIMES = [
  [31536000, '{YYYY}', null, null, null, null, null, null, 1],
  [2419200, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86400, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', DATE, null, '\n{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', DATE, null, '\n{MM}-{DD}', null, null, null, 1],
  [0.001, ':{ss}.{fff}', `${DATE} {HH}:{mm}`, null, '\n{MM}-{DD} {HH}:{mm}', null, '\n{HH}:{mm}', null, 1],
];
// Axis steps that are round in the unit itself (powers of two, minutes, hours), not in decimal digits.
const INCREMENTS: Record<string, number[]> = {
  By: Array.from({ length: 60 }, (_, i) => 2 ** i),
  'By/s': Array.from({ length: 60 }, (_, i) => 2 ** i),
  s: [...[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1].flatMap((one) => [one, 2 * one, 5 * one]), 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200,
    ...[1, 10, 100, 1000, 10000].flatMap((one) => [one, 2 * one, 5 * one]).map((days) => days * 86400)],
};
const FONT = '11px system-ui, sans-serif';
const LONGEST = 18;  // characters of a label

const cut = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

const ruler = document.createElement('canvas').getContext('2d');
function widthOf(text: string): number {
  if (ruler === null) return text.length * 8;
  ruler.font = FONT;
  return ruler.measureText(text).width;
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

  // `width`: seconds in each average; 0: the lines are ticks.
  draw(lines: Line[], from: number, to: number, width: number): void {
    this.lines = lines.slice(0, MOST_LINES);
    const labels = this.lines.map((line) => line.label).join('\n');
    if (this.plot === null || labels !== this.labels) this.make(labels, width);
    this.plot?.setData(align(this.lines, width), false);
    this.plot?.setScale('x', { min: from, max: to });
    // uPlot draws in a microtask and clears the legend then.
    queueMicrotask(() => this.showLatest());
    if (!drawn) performance.mark('first-chart');
    drawn = true;
  }

  // Without a cursor, the legend shows the newest values.
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

  // draw() creates the chart again, with the current colours.
  close(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  private height(): number {
    return this.host.clientWidth < 420 ? 150 : this.host.clientWidth < 800 ? 180 : 320;
  }

  private make(labels: string, width: number): void {
    this.plot?.destroy();
    this.labels = labels;
    const show = (_: uPlot, v: number | null) => humanValue(this.unit, this.metric, v);
    const time = (plot: uPlot, v: number | null) => clock(v, (plot.scales['x']!.max ?? 0) - (plot.scales['x']!.min ?? 0) <= 60);
    const share = this.unit === '1' && this.metric.endsWith('utilization');
    const style = { stroke: ink('--dim'), grid: { stroke: ink('--line'), width: 1 }, ticks: { stroke: ink('--line'), width: 1 }, font: FONT };
    const options: uPlot.Options = {
      width: Math.max(this.host.clientWidth, 200),
      height: this.height(),
      // All charts show the time under the pointer. Selections are not shared, because every other chart would report
      // the same selection again, rounded to its own pixels.
      cursor: { sync: { key: 'all', setSeries: false, filters: { pub: (type: string) => type !== 'mousedown' && type !== 'mouseup' } }, drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
      legend: { live: true },
      scales: { x: { time: true }, y: { range: (_, min, max) => {
        if (min === null || max === null) return [0, 1];
        if (share) return [0, Math.max(1e-3, max > 0.5 ? Math.max(1, max) : max * 1.25)];
        return [Math.min(0, min), max > 0 ? max * 1.08 : this.unit.startsWith('By') ? 1024 : 1];
      } } },
      axes: [{ ...style, values: TIMES } as uPlot.Axis, {
        ...style, incrs: INCREMENTS[this.unit], values: (_: uPlot, ticks: number[]) => axis(this.unit, this.metric, ticks).map(cut),
        // As wide as its labels, plus the tick marks.
        size: (_: uPlot, labels: string[] | null) => Math.ceil(Math.max(36, ...(labels ?? []).map(widthOf))) + 20,
      } as uPlot.Axis],
      series: [{ label: 'time', value: time } as uPlot.Series, ...this.lines.map((line, i) => ({
        label: line.label, stroke: colour(i), width: 1.25, value: show, points: { show: false, size: 4, filter: (plot: uPlot, at: number) => alone(plot.data[at] ?? []) }, spanGaps: false,
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
    this.plot = new uPlot(options, align(this.lines, width), this.host);
    this.plot.over.addEventListener('dblclick', () => this.onReset());
  }
}

export function lineOf(series: Series, label: string, key: string): Line {
  return { key, label, times: series.times, values: series.values ?? series.avg ?? [], min: series.min, max: series.max };
}
