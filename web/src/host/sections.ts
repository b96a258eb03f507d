// Which charts a host's series make, and in which section each is. Follows the names and labels that collectors declare;
// knows nothing of the DOM.
import type { MetricText, Range, Series } from '../lib/api';
import { seriesName } from '../lib/format';
import { CONTAINER, containerName } from './containers';
import { joined } from './lines';
import { PID } from './processes';

export const SECTIONS: [id: string, title: string, prefixes: string[]][] = [
  ['cpu', 'CPU', ['system.cpu.', 'container.cpu.']],
  ['memory', 'Memory', ['system.memory.', 'container.memory.', 'system.paging.', 'container.paging.']],
  ['disk', 'Disks', ['system.disk.']],
  ['filesystem', 'Filesystems', ['system.filesystem.']],
  ['network', 'Network', ['system.network.']],
  ['pressure', 'Pressure', ['system.pressure.']],
  ['process', 'Processes', ['process.', 'system.process']],
  ['container', 'Containers', ['container.']],
  ['gpu', 'GPU', ['gpu.', 'hw.gpu.']],
  ['sensor', 'Sensors', ['hw.', 'system.temperature', 'sensor.']],
  ['system', 'System', ['system.']],
  ['agent', 'Agent', ['monitor.', 'agent.']],
  ['other', 'Other', ['']],
];

export function sectionOf(metric: string): string {
  return SECTIONS.find(([, , prefixes]) => prefixes.some((one) => metric.startsWith(one)))![0];
}

export type Mode = 'lines' | 'stack' | 'mirror';

export interface Spec {
  key: string;     // unique on the page
  metric: string;  // as in data-metric
  by: string;      // the labels that tell its lines apart, e.g. "cpu.mode"
  section: string;
  title: string;
  description: string;
  unit: string;
  mode: Mode;
  same: boolean;   // its lines are those of the chart of the sum: there is only one part
  series: { series: Series; key: string; label: string; below: boolean }[];  // `series` without the labels of its agent; key: as in events; below: drawn downwards from zero
}

const WORDS: Record<string, string> = {
  'cpu.mode': 'mode', 'cpu.logical_number': 'processor', 'system.device': 'disk', 'network.interface.name': 'interface',
  'system.filesystem.mountpoint': 'filesystem', 'system.memory.state': 'state', 'system.paging.state': 'state', 'system.filesystem.state': 'state', resource: 'resource', type: 'type',
};
const MOUNT = 'system.filesystem.mountpoint';
const OWNER = 'process.owner';
const BELOW = new Set(['transmit', 'write', 'out']);
const ABOVE = new Set(['receive', 'read', 'in']);
const LOAD = /^(system\.cpu\.load_average)\.(\d+m)$/;

// Only some lines of a chart are drawn, so those with the largest values come first.
function largestFirst(series: Series[]): Series[] {
  const peak = new Map(series.map((one) => [one, (one.max ?? one.values ?? []).reduce<number>((most, v) => Math.max(most, v ?? 0), 0)]));
  return [...series].sort((a, b) => peak.get(b)! - peak.get(a)!);
}

const isDirection = (label: string) => label.endsWith('.direction');

function directionOf(series: Series): string {
  const name = Object.keys(series.labels).find(isDirection);
  return name === undefined ? '' : series.labels[name]!;
}

// Parts of a host that have many labels besides the one that names them, and not each of them the same ones: how they are
// called, and which of their labels tell their series apart.
const NAMED: { id: string; name: (labels: Record<string, string>) => string; telling: string[] }[] = [
  { id: CONTAINER, name: containerName, telling: ['resource', 'type'] },
  { id: 'hw.id', name: (labels) => [labels['hw.parent'] ?? '', labels['hw.name'] ?? ''].filter((one) => one !== '').join(' '), telling: ['hw.limit_type'] },
];
const namedBy = (labels: Record<string, string>) => NAMED.find(({ id }) => id in labels);

function tellingOf(labels: Record<string, string>): string[] {
  const named = namedBy(labels);
  const names = Object.keys(labels).filter((one) => !isDirection(one)).sort();
  return named === undefined ? names : names.filter((one) => one === named.id || named.telling.includes(one));
}

function labelOf(series: Series, withAgent: boolean, part: string): string {
  const own = series.labels;
  const named = namedBy(own);
  const labels = named === undefined ? Object.entries(own).filter(([name]) => name !== OWNER).map(([, value]) => value).join(' ')
    : [named.name(own), ...[...named.telling, ...Object.keys(own).filter(isDirection)].map((one) => own[one] ?? '')].filter((one) => one !== '').join(' ');
  return [withAgent ? series.agent : '', labels, part].filter((one) => one !== '').join(' ') || series.metric.split('.').pop() || series.metric;
}

function titleOf(metric: string, text: MetricText | undefined, by: string[]): string {
  const title = LOAD.test(metric) ? 'Load average' : text?.title ?? '';
  // A mount point already names its device and its type; the titles of processes' metrics name the processes.
  const telling = by.includes(MOUNT) ? by.filter((one) => one === MOUNT) : by.includes(PID) ? [] : by.filter((one) => !NAMED.some(({ id }) => id === one));
  const words = telling.map((one) => WORDS[one] ?? one.split('.').pop()!);
  return `${title === '' ? metric : title}${words.length > 0 ? ` by ${words.join(' and ')}` : ''}`;
}

function modeOf(by: string[], series: Series[], agents: number): Mode {
  const directions = new Set(series.map(directionOf));
  if (directions.size === 2 && [...directions].every((one) => BELOW.has(one) || ABOVE.has(one))) return 'mirror';
  if (agents === 1 && by.join() === 'cpu.mode') return 'stack';
  return 'lines';
}

export type Labels = Record<string, string>;

// The labels that tell the series of one agent apart: those of its configuration are on all of them.
function without(series: Series, own: Labels | undefined): Series {
  if (own === undefined) return series;
  const labels = Object.entries(series.labels).filter(([name, value]) => own[name] !== value && !(name.startsWith('resource.') && own[name.slice('resource.'.length)] === value));
  return { ...series, labels: Object.fromEntries(labels) };
}

// `own`: the labels of each agent's configuration. A chart for each metric and each set of labels: the sum over a host is one chart, its parts are another.
export function specsOf(range: Pick<Range, 'series' | 'metrics'>, agents: number, own: Record<string, Labels> = {}): Spec[] {
  const groups = new Map<string, { metric: string; by: string[]; series: Series[] }>();
  const keys = new Map<Series, string>();
  for (const { series, key: eventKey } of joined(range.series.map((one) => ({ series: without(one, own[one.agent]), key: `${one.agent} ${seriesName(one.metric, one.labels)}` })))) {
    keys.set(series, eventKey);
    const metric = LOAD.exec(series.metric)?.[1] ?? series.metric;
    const by = tellingOf(series.labels);
    const key = [metric, ...by].join(' ');
    const group = groups.get(key) ?? { metric, by, series: [] };
    group.series.push(series);
    groups.set(key, group);
  }
  const fewest = new Map<string, number>();
  const lines = new Map<string, number>();  // of the chart of the sum
  for (const { metric, by, series } of groups.values()) {
    if (by.length >= (fewest.get(metric) ?? Infinity)) continue;
    fewest.set(metric, by.length);
    lines.set(metric, series.length);
  }
  const specs = [...groups].map(([key, { metric, by, series }]): Spec => {
    const mode = modeOf(by, series, agents);
    const text = range.metrics[series[0]!.metric];
    const parts = mode === 'stack' ? series.filter((one) => one.labels['cpu.mode'] !== 'idle') : series;
    const shown = by.includes(PID) || by.includes(CONTAINER) ? largestFirst(parts) : parts;
    // What all lines share is no part of a chart's title.
    const told = by.length === fewest.get(metric) && series.length <= agents ? [] : by;
    return {
      key, metric, by: by.join(','), section: by.includes(CONTAINER) ? 'container' : sectionOf(metric), title: titleOf(series[0]!.metric, text, told), description: text?.description ?? '', unit: series[0]!.unit, mode,
      same: by.length > fewest.get(metric)! && series.length === lines.get(metric),
      series: shown.map((one) => ({ series: one, key: keys.get(one)!, label: labelOf(one, agents > 1, LOAD.exec(one.metric)?.[2] ?? ''), below: mode === 'mirror' && BELOW.has(directionOf(one)) })),
    };
  });
  return specs.sort((a, b) => rank(a) - rank(b) || a.metric.localeCompare(b.metric) || a.by.length - b.by.length || a.by.localeCompare(b.by));
}

const FIRST = ['system.cpu.utilization', 'system.cpu.load_average', 'system.memory.utilization', 'system.memory.usage', 'system.disk.io.rate', 'system.filesystem.utilization', 'system.network.io.rate'];

// By section, then what is looked at first.
function rank(spec: Spec): number {
  const section = SECTIONS.findIndex(([id]) => id === spec.section);
  const first = FIRST.indexOf(spec.metric);
  return section * 100 + (first < 0 ? 50 : first) + (spec.by.includes(',') ? 30 : 0);
}
