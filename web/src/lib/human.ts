// Formats values for people, with the same operations in the same order as src/metrics/human.cc, so that both write the
// same digits. Both take units and scales from src/metrics/units.json, and both are tested with
// src/metrics/human_vectors.tsv. 1 MB is 2^20 bytes, as everywhere in this project.
import table from '../../../src/metrics/units.json';

interface Step { readonly word: string; readonly size: number }
const BYTES: readonly Step[] = table.scales.bytes;
const TIMES: readonly Step[] = table.scales.time;
const EXPONENT = table.exponent;
const UNITS = new Map(table.units.map((one) => [one.unit, one]));

// The number of base units in one MB, for example.
export function unitSize(word: string): number {
  return [...BYTES, ...TIMES].find((one) => one.word === word)!.size;
}

function power(digits: number): number {
  let out = 1;
  for (let i = 0; i < digits; ++i) out *= 10;
  return out;
}

const rounded = (v: number, digits: number) => Math.floor(v * power(digits) + 0.5);

// `v` must not be negative, and be less than EXPONENT.from.
function fixed(v: number, digits: number): string {
  const out = String(rounded(v, digits)).padStart(digits + 1, '0');
  return digits > 0 ? `${out.slice(0, -digits)}.${out.slice(-digits)}` : out;
}

// How many decimals show a number with `digits` significant digits.
function decimals(v: number, digits: number): number {
  let out = digits - 1;
  for (let limit = 10; v >= limit && out > 0; limit *= 10) --out;
  for (let limit = 1; v < limit && out < 10; limit /= 10) ++out;
  // 9.996 is shown as 10.0.
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
  if (v < EXPONENT.below || v >= EXPONENT.from) return exponential(v);
  if (v >= 999.95) return group(fixed(v, 0));
  return stripped(fixed(v, decimals(v, 4)));
}

// Switches to the next unit where rounding would reach it.
function byteStep(v: number): Step {
  let i = 0;
  while (i + 1 < BYTES.length && rounded(v / BYTES[i]!.size, 0) >= 1024) ++i;
  return BYTES[i]!;
}

function bytes(v: number): string {
  const { word, size } = byteStep(v);
  const scaled = v / size;
  if (scaled >= EXPONENT.from) return `${exponential(scaled)} ${word}`;
  const digits = size === 1 ? 0 : decimals(scaled, 3);
  return `${digits === 0 ? group(fixed(scaled, 0)) : fixed(scaled, digits)} ${word}`;
}

// Switches to the next unit at two of it. Below one second there is only the first unit.
function timeStep(v: number): Step {
  let i = v < 1 ? 0 : 1;
  while (i > 0 && i + 1 < TIMES.length && v >= 2 * TIMES[i + 1]!.size) ++i;
  return TIMES[i]!;
}

// "340 ms", "9.5 s", "34 s", "35 min", "5 h", "9 d". Negative durations count as 0.
export function duration(v: number): string {
  if (v <= 0) return '0 s';
  const { word, size } = timeStep(v);
  if (v < 1) return `${number(v / size)} ${word}`;
  if (v < 10) return `${fixed(v, 1)} ${word}`;
  return `${v / size >= EXPONENT.from ? exponential(v / size) : group(fixed(v / size, 0))} ${word}`;
}

export function isShare(unit: string, name: string): boolean {
  return unit === '1' && table.shares.some((end) => name.endsWith(end));
}

function share(v: number): string {
  return `${v * 100 < EXPONENT.from ? fixed(v * 100, 1) : exponential(v * 100)} %`;
}

// `v` must not be negative.
function withUnit(unit: string, v: number): string {
  const known = UNITS.get(unit);
  if (known !== undefined) return `${known.scale === 'bytes' ? bytes(v) : duration(v)}${known.suffix}`;
  if (unit === '' || unit === '1' || unit.startsWith('{')) return number(v);
  return `${number(v)} ${unit}`;
}

// With a sign, unless the text is that of zero.
function signed(v: number, show: (size: number) => string): string {
  const text = show(Math.abs(v));
  return v < 0 && /[1-9]/.test(text) ? `-${text}` : text;
}

export function humanValue(unit: string, name: string, v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  return signed(v, isShare(unit, name) ? share : (size) => withUnit(unit, size));
}

// Labels of an axis, all in the unit that suits the largest value.
export function axis(unit: string, name: string, ticks: number[]): string[] {
  if (isShare(unit, name)) return ticks.map((t) => `${signed(t * 100, number)} %`);
  const known = UNITS.get(unit);
  if (known === undefined) return ticks.map((t) => humanValue(unit, name, t));
  const most = Math.max(...ticks.map(Math.abs), 0);
  const { word, size } = known.scale === 'time' ? timeStep(most) : byteStep(most);
  return ticks.map((t) => `${signed(t / size, number)} ${word}${known.suffix}`);
}
