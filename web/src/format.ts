// Values and times as people read them. MB is 2^20 bytes, as everywhere in this project.

const MEGA = 1024 * 1024;

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (value * 100).toFixed(1);
}

export function rate(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (value / MEGA).toFixed(2);
}

export function value(unit: string, name: string, v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  if (isShare(unit, name)) return `${(v * 100).toFixed(1)} %`;
  if (unit === 'By') return `${Math.round(v / MEGA).toLocaleString('en')} MB`;
  if (unit === 'By/s') return Math.abs(v) > 0 && Math.abs(v) < MEGA / 20 ? `${(v / 1024).toFixed(1)} KB/s` : `${(v / MEGA).toFixed(2)} MB/s`;
  if (unit === 's') return age(v);
  const digits = Math.abs(v) >= 1000 ? v.toFixed(0) : String(Number(v.toPrecision(4)));
  return unit === '1' || unit.startsWith('{') || unit === '' ? digits : `${digits} ${unit}`;
}

// Ticks of an axis: all in the unit that suits the largest, with no more digits than tell them apart.
export function axis(unit: string, name: string, ticks: number[]): string[] {
  const most = Math.max(...ticks.map(Math.abs), 0);
  const digits = (v: number) => String(Number(v.toPrecision(4)));
  if (unit === 'By' || unit === 'By/s') {
    const [size, word] = most < MEGA ? [1024, 'KB'] : most < MEGA * 10240 ? [MEGA, 'MB'] : [MEGA * 1024, 'GB'];
    return ticks.map((t) => `${digits(t / size)} ${word}${unit.slice(2)}`);
  }
  if (isShare(unit, name)) return ticks.map((t) => `${digits(t * 100)} %`);
  return ticks.map((t) => value(unit, name, t));
}

function isShare(unit: string, name: string): boolean {
  return unit === '1' && (name.endsWith('utilization') || name.endsWith('stall'));
}

// How long something short takes.
export function took(seconds: number): string {
  if (seconds < 1e-3) return `${digits3(seconds * 1e6)} µs`;
  return seconds < 1 ? `${digits3(seconds * 1e3)} ms` : age(seconds);
}
const digits3 = (v: number) => String(Number(v.toPrecision(3)));

export function age(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

const pad = (n: number, width = 2) => String(n).padStart(width, '0');

// In the browser's own time zone.
export function clock(seconds: number | null, millis = false): string {
  if (seconds === null) return '–';
  const d = new Date(seconds * 1000);
  const day = `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
  const time = `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
  return `${day} ${time}${millis ? `.${pad(d.getMilliseconds(), 3)}` : ''}`;
}

export function count(n: number): string {
  return n.toLocaleString('en');
}

// "1 run", "2 runs"
export function many(n: number, word: string): string {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}

// "system.disk.io.rate{disk.io.direction=read}", as the stream names series.
export function seriesName(metric: string, labels: Record<string, string>): string {
  const names = Object.keys(labels).sort();
  return names.length === 0 ? metric : `${metric}{${names.map((n) => `${n}=${labels[n]}`).join(',')}}`;
}
