// Values as people read them: the same as src/metrics/human.cc, operation by operation, so that both write the same
// digits. src/metrics/human_vectors.tsv holds both to it. MB is 2^20 bytes, as everywhere in this project.

type Step = readonly [word: string, size: number];
const BYTES: readonly Step[] = [['B', 1], ['KB', 1024], ['MB', 2 ** 20], ['GB', 2 ** 30], ['TB', 2 ** 40], ['PB', 2 ** 50]];
const TIMES: readonly Step[] = [['ms', 1e-3], ['s', 1], ['min', 60], ['h', 3600], ['d', 86400]];
const LEAST = 1e-4;  // what is less, or more than MOST, has an exponent
const MOST = 1e15;

function power(digits: number): number {
  let out = 1;
  for (let i = 0; i < digits; ++i) out *= 10;
  return out;
}

const rounded = (v: number, digits: number) => Math.floor(v * power(digits) + 0.5);

// Of what is not negative, and below MOST.
function fixed(v: number, digits: number): string {
  const out = String(rounded(v, digits)).padStart(digits + 1, '0');
  return digits > 0 ? `${out.slice(0, -digits)}.${out.slice(-digits)}` : out;
}

// Decimals of a number that is to have so many digits.
function decimals(v: number, digits: number): number {
  let out = digits - 1;
  for (let limit = 10; v >= limit && out > 0; limit *= 10) --out;
  for (let limit = 1; v < limit && out < 10; limit /= 10) ++out;
  // 9.996 is 10.0
  return out > 0 && rounded(v, out) >= power(digits) ? out - 1 : out;
}

const stripped = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
const group = (digits: string) => digits.replace(/\B(?=(\d{3})+$)/g, ',');

function exponential(v: number): string {
  const [mantissa = '', exponent = ''] = v.toExponential(3).split('e');
  return `${stripped(mantissa)}e${exponent}`;
}

function number(v: number): string {
  if (v === 0) return '0';
  if (v < LEAST || v >= MOST) return exponential(v);
  if (v >= 999.95) return group(fixed(v, 0));
  return stripped(fixed(v, decimals(v, 4)));
}

// The next unit from where this one would be rounded up to it.
function step(v: number): Step {
  let i = 0;
  while (i + 1 < BYTES.length && rounded(v / BYTES[i]![1], 0) >= 1024) ++i;
  return BYTES[i]!;
}

function bytes(v: number): string {
  const [word, size] = step(v);
  const scaled = v / size;
  if (scaled >= MOST) return `${exponential(scaled)} ${word}`;
  const digits = size === 1 ? 0 : decimals(scaled, 3);
  return `${digits === 0 ? group(fixed(scaled, 0)) : fixed(scaled, digits)} ${word}`;
}

// The next unit when there are two of it.
function timeStep(v: number): Step {
  let i = v < 1 ? 0 : 1;
  while (i > 0 && i + 1 < TIMES.length && v >= 2 * TIMES[i + 1]![1]) ++i;
  return TIMES[i]!;
}

// "340 ms", "9.5 s", "34 s", "35 min", "5 h", "9 d". Of what is not negative.
function duration(v: number): string {
  if (v === 0) return '0 s';
  const [word, size] = timeStep(v);
  if (v < 1) return `${number(v / size)} ${word}`;
  if (v < 10) return `${fixed(v, 1)} ${word}`;
  return `${v / size >= MOST ? exponential(v / size) : group(fixed(v / size, 0))} ${word}`;
}

export function isShare(unit: string, name: string): boolean {
  return unit === '1' && (name.endsWith('utilization') || name.endsWith('stall'));
}

function share(v: number): string {
  return `${v * 100 < MOST ? fixed(v * 100, 1) : exponential(v * 100)} %`;
}

// Of what is not negative.
function withUnit(unit: string, v: number): string {
  if (unit === 'By') return bytes(v);
  if (unit === 'By/s') return `${bytes(v)}/s`;
  if (unit === 's') return duration(v);
  if (unit === '' || unit === '1' || unit.startsWith('{')) return number(v);
  return `${number(v)} ${unit}`;
}

// Negative where it is one as it is shown.
function signed(v: number, show: (size: number) => string): string {
  const text = show(Math.abs(v));
  return v < 0 && /[1-9]/.test(text) ? `-${text}` : text;
}

export function humanValue(unit: string, name: string, v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  return signed(v, isShare(unit, name) ? share : (size) => withUnit(unit, size));
}

// Ticks of an axis: all in the unit that suits the largest.
export function axis(unit: string, name: string, ticks: number[]): string[] {
  if (isShare(unit, name)) return ticks.map((t) => `${signed(t * 100, number)} %`);
  if (unit === 'By' || unit === 'By/s' || unit === 's') {
    const most = Math.max(...ticks.map(Math.abs), 0);
    const [word, size] = unit === 's' ? timeStep(most) : step(most);
    return ticks.map((t) => `${signed(t / size, number)} ${word}${unit === 'By/s' ? '/s' : ''}`);
  }
  return ticks.map((t) => humanValue(unit, name, t));
}
