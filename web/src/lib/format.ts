// Times, counts, and columns with a fixed unit. Values with a unit of their own are in human.ts.
import { settings } from '../state/settings';
import { duration, unitSize } from './human';

const MB = unitSize('MB');

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (value * 100).toFixed(1);
}

export function rate(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (value / MB).toFixed(2);
}

// Formats a short duration.
export function took(seconds: number): string {
  if (seconds < 1e-3) return `${digits3(seconds * 1e6)} µs`;
  return seconds < 1 ? `${digits3(seconds * 1e3)} ms` : age(seconds);
}
const digits3 = (v: number) => String(Number(v.toPrecision(3)));

// How long ago something was; durations below a second in tenths.
export function age(seconds: number): string {
  const s = Math.max(0, seconds);
  return s < 1 ? `${s.toFixed(1)} s` : duration(s);
}


// In the time zone of the settings: the browser's own, or UTC.
export function clock(seconds: number | null, millis = false): string {
  if (seconds === null) return '–';
  const offset = settings.zone.value === 'utc' ? 0 : new Date(seconds * 1000).getTimezoneOffset() * 60;
  const text = new Date((seconds - offset) * 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, millis ? 23 : 19)}`;
}

export function count(n: number): string {
  return n.toLocaleString('en');
}

// "run" for one, "runs" for any other number of them.
export function noun(n: number, word: string, plural = `${word}s`): string {
  return n === 1 ? word : plural;
}

// "1 run", "2 runs"
export function many(n: number, word: string, plural = `${word}s`): string {
  return `${count(n)} ${noun(n, word, plural)}`;
}

// "system.disk.io.rate{disk.io.direction=read}", as the stream names series.
export function seriesName(metric: string, labels: Record<string, string>): string {
  const names = Object.keys(labels).sort();
  return names.length === 0 ? metric : `${metric}{${names.map((n) => `${n}=${labels[n]}`).join(',')}}`;
}
