// A chart of one metric, with one line for each series. A thin wrapper around uPlot.
import uPlot from 'uplot';
import { clock } from '../lib/format';
import { alone } from '../lib/lines';
import { shownAxis, shownValue } from '../lib/shown';
import { isDark, settings } from '../state/settings';
import { lineColour } from '../ui/palette';
import { columnsOf, type Line } from './lines';
import type { Mark } from './marks';
import type { Spec } from './sections';

export const MOST_LINES = 40;
let drawn = false;  // true once any chart was drawn since the page was opened

function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
function faint(hex: string, alpha: string): string {
  return `${hex}${alpha}`;
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

const MARKS: Record<string, string> = { config: '--spooling', rollout: '--accent', restart: '--unknown', alert: '--gone' };  // a gap shows itself

// A dashed line where something happened.
function drawMarks(plot: uPlot, marks: Pick<Mark, 'at' | 'kind'>[], colours: Record<string, string>): void {
  const { ctx, bbox: { left, top, width, height } } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at, kind } of marks) {
    const x = Math.round(plot.valToPos(at, 'x', true)) + 0.5;
    if (colours[kind] === undefined || !(x >= left && x <= left + width)) continue;
    ctx.strokeStyle = colours[kind];
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
  }
  ctx.restore();
}

export class Chart {
  private plot: uPlot | null = null;
  private lines: Line[] = [];
  private values: (number | null | undefined)[][] = [];
  private made = '';  // what the plot was made for

  constructor(
    private readonly host: HTMLElement,
    private readonly spec: Pick<Spec, 'unit' | 'metric' | 'mode'>,
    private readonly onZoom: (from: number, to: number) => void,
    private readonly onReset: () => void,
    private readonly marks: () => Pick<Mark, 'at' | 'kind'>[] = () => [],
  ) {}

  // `width`: seconds in each average; 0: the lines are ticks.
  draw(lines: Line[], from: number, to: number, width: number): void {
    this.lines = lines.slice(0, MOST_LINES);
    const columns = columnsOf(this.lines, width, this.spec.mode);
    this.values = columns.values;
    const wanted = [settings.zone.value, settings.network.value, isDark(), ...this.lines.map((line) => line.label)].join('\n');
    if (this.plot === null || wanted !== this.made) this.make(columns.drawn);
    this.made = wanted;
    this.plot?.setData(columns.drawn, false);
    this.plot?.setScale('x', { min: from, max: to });
    // uPlot draws in a microtask and clears the legend then.
    queueMicrotask(() => this.showLatest());
    if (!drawn) performance.mark('first-chart');
    drawn = true;
  }

  resize(): void {
    const width = this.host.clientWidth;
    if (this.plot !== null && width > 0 && (this.plot.width !== width || this.plot.height !== this.height())) this.plot.setSize({ width, height: this.height() });
  }

  // draw() creates the chart again.
  close(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  get canvas(): HTMLCanvasElement | null {
    return this.host.querySelector('canvas');
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

  private height(): number {
    if (this.host.closest('.is-whole') !== null) return Math.max(240, window.innerHeight - 180);
    return this.host.clientWidth < 420 ? 150 : this.host.clientWidth < 800 ? 170 : 300;
  }

  private series(): uPlot.Series[] {
    const dark = isDark();
    const { unit, metric, mode } = this.spec;
    const today = this.lines.filter((line) => line.past !== true).length;
    const only = today === 1;
    return this.lines.map((line, i) => {
      // A line of the past has the colour of its line of today, which comes at the same place.
      const colour = line.past === true ? `${lineColour(line.key === 'threshold' ? 4 : i - today, dark)}b0` : lineColour(i, dark);
      const fill = mode === 'stack' ? faint(colour, 'b0') : mode === 'mirror' || (only && line.past !== true) ? faint(colour, '26') : undefined;
      return {
        label: line.label, stroke: colour, width: mode === 'stack' ? 0.75 : 1.25, spanGaps: false,
        ...(fill === undefined ? {} : { fill }), ...(line.past === true ? { dash: [4, 3] } : {}),
        value: (_: uPlot, __: number | null, at: number, idx: number | null) => shownValue(unit, metric, idx === null ? null : this.values[at - 1]?.[idx]),
        points: { show: false, size: 4, filter: (plot: uPlot, at: number) => alone(plot.data[at] ?? []) },
      } as uPlot.Series;
    });
  }

  private scale(_: uPlot, min: number | null, max: number | null): [number, number] {
    const { unit, metric, mode } = this.spec;
    if (min === null || max === null) return [0, 1];
    if (unit === '1' && metric.endsWith('utilization')) return [0, Math.max(1e-3, max > 0.5 ? Math.max(1, max) : max * 1.25)];
    const least = unit.startsWith('By') ? 1024 : 1;
    if (mode === 'mirror') return [min < 0 ? min * 1.08 : -least, max > 0 ? max * 1.08 : least];
    return [Math.min(0, min), max > 0 ? max * 1.08 : least];
  }

  private options(): uPlot.Options {
    const { unit, metric, mode } = this.spec;
    const style = { stroke: ink('--dim'), grid: { stroke: ink('--line'), width: 1 }, ticks: { stroke: ink('--line'), width: 1 }, font: FONT };
    const colours = Object.fromEntries(Object.entries(MARKS).map(([kind, name]) => [kind, ink(name)]));
    const labels = (ticks: number[]) => shownAxis(unit, metric, mode === 'mirror' ? ticks.map(Math.abs) : ticks).map(cut);
    const time = (plot: uPlot, v: number | null) => clock(v, (plot.scales['x']!.max ?? 0) - (plot.scales['x']!.min ?? 0) <= 60);
    return {
      width: Math.max(this.host.clientWidth, 200),
      height: this.height(),
      tzDate: (at) => (settings.zone.value === 'utc' ? uPlot.tzDate(new Date(at * 1000), 'Etc/UTC') : new Date(at * 1000)),
      // All charts show the time under the pointer. Selections are not shared, because every other chart would report
      // the same selection again, rounded to its own pixels.
      cursor: { sync: { key: 'all', setSeries: false, filters: { pub: (type: string) => type !== 'mousedown' && type !== 'mouseup' } }, drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
      legend: { live: true },
      scales: { x: { time: true }, y: { range: (plot, min, max) => this.scale(plot, min, max) } },
      axes: [{ ...style, values: TIMES } as uPlot.Axis, {
        ...style, incrs: INCREMENTS[unit], values: (_: uPlot, ticks: number[]) => labels(ticks),
        // As wide as its labels, plus the tick marks.
        size: (_: uPlot, texts: string[] | null) => Math.ceil(Math.max(36, ...(texts ?? []).map(widthOf))) + 20,
      } as uPlot.Axis],
      series: [{ label: 'time', value: time } as uPlot.Series, ...this.series()],
      ...(mode === 'stack' ? { bands: this.lines.slice(1).map((_, i) => ({ series: [i + 1, i + 2] as [number, number] })) } : {}),
      hooks: { setSelect: [(plot) => this.selected(plot)], draw: [(plot) => drawMarks(plot, this.marks(), colours)] },
    };
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const from = plot.posToVal(left, 'x');
    const to = plot.posToVal(left + width, 'x');
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.onZoom(from, to);
  }

  private make(data: uPlot.AlignedData): void {
    this.plot?.destroy();
    this.host.replaceChildren();
    this.plot = new uPlot(this.options(), data, this.host);
    this.plot.over.addEventListener('dblclick', () => this.onReset());
    // The legend of many lines scrolls, so the keyboard must reach it.
    if (this.lines.length > 6) this.plot.root.querySelector('.u-legend')?.setAttribute('tabindex', '0');
  }
}
