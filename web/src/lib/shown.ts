// Values as the user wants to see them: human.ts in the units of the settings.
import { settings } from '../state/settings';
import { axis, humanValue } from './human';

const BITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];

function inBits(unit: string, name: string): boolean {
  return settings.network.value === 'bits' && unit === 'By/s' && name.startsWith('system.network');
}

function step(v: number): number {
  let i = 0;
  while (i + 1 < BITS.length && Math.abs(v) >= 999.5 * 1000 ** i) ++i;
  return i;
}

// Three digits; network hardware counts in powers of ten.
function bits(v: number): string {
  const i = step(v);
  const scaled = v / 1000 ** i;
  return `${i === 0 ? Math.round(scaled) : scaled.toFixed(Math.abs(scaled) < 9.995 ? 2 : Math.abs(scaled) < 99.95 ? 1 : 0)} ${BITS[i]}`;
}

export function shownValue(unit: string, name: string, v: number | null | undefined): string {
  if (v === null || v === undefined || !inBits(unit, name)) return humanValue(unit, name, v);
  return bits(v * 8);
}

export function shownAxis(unit: string, name: string, ticks: number[]): string[] {
  if (!inBits(unit, name)) return axis(unit, name, ticks);
  const i = step(Math.max(...ticks.map(Math.abs), 0) * 8);
  return ticks.map((v) => `${Number(((v * 8) / 1000 ** i).toPrecision(4))} ${BITS[i]}`);
}

export const share = (v: number | null | undefined) => humanValue('1', 'utilization', v);
export const byteRate = (v: number | null | undefined, network = false) => shownValue('By/s', network ? 'system.network.io.rate' : '', v);
