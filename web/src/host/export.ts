// A chart as a file: an image or a table.
import { clock } from '../lib/format';
import { settings } from '../state/settings';
import type { Line } from './lines';

// Spreadsheets run a text that begins with = as a formula, and labels come from hosts: an apostrophe makes it a text.
function quoted(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

// One row for each time, one column for each line. Times are in seconds since 1970, and in words of the zone in the settings.
export function csvOf(lines: Line[]): string {
  const times = [...new Set(lines.flatMap((line) => line.times))].sort((a, b) => a - b);
  const columns = lines.map((line) => new Map(line.times.map((t, i) => [t, line.values[i] ?? null])));
  const rows = times.map((t) => [String(t), clock(t), ...columns.map((one) => String(one.get(t) ?? ''))]);
  return [['time', settings.zone.value === 'utc' ? 'UTC' : 'local time', ...lines.map((line) => quoted(line.label))], ...rows].map((row) => row.join(',')).join('\n') + '\n';
}

export function save(name: string, what: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(what);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function fileName(metric: string, agents: string[], ending: string): string {
  return `${[...agents.slice(0, 3), metric].map((one) => one.replace(/[^\w.-]+/g, '_')).join('-')}.${ending}`;
}

// The chart with its title and its lines' names on the card's colour.
export function imageOf(canvas: HTMLCanvasElement, title: string, labels: { text: string; colour: string }[]): Promise<Blob | null> {
  const ratio = window.devicePixelRatio || 1;
  const style = getComputedStyle(document.documentElement);
  const image = document.createElement('canvas');
  const [top, end] = [30 * ratio, 24 * ratio];
  image.width = canvas.width;
  image.height = canvas.height + top + end;
  const context = image.getContext('2d')!;
  context.fillStyle = style.getPropertyValue('--card');
  context.fillRect(0, 0, image.width, image.height);
  context.drawImage(canvas, 0, top);
  context.fillStyle = style.getPropertyValue('--ink');
  context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
  context.fillText(title, 10 * ratio, 20 * ratio);
  context.font = `${11 * ratio}px system-ui, sans-serif`;
  let x = 10 * ratio;
  for (const { text, colour } of labels) {
    context.fillStyle = colour;
    context.fillRect(x, image.height - 18 * ratio, 10 * ratio, 10 * ratio);
    context.fillStyle = style.getPropertyValue('--ink');
    context.fillText(text, x + 14 * ratio, image.height - 9 * ratio);
    x += context.measureText(text).width + 28 * ratio;
  }
  return new Promise((resolve) => image.toBlob(resolve, 'image/png'));
}

