// Times, counts and columns with a fixed unit as people read them; values with their own are in human.ts.

const MEGA = 1024 * 1024;

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (value * 100).toFixed(1);
}

export function rate(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (value / MEGA).toFixed(2);
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
