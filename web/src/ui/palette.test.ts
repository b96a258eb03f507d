import { assert, test } from 'vitest';
import { contrast, LINES_DARK, LINES_LIGHT, luminance, scaleColour } from './palette';

const CARDS = { dark: '#161c23', light: '#ffffff' };  // --card of styles/base.css

type Rgb = [number, number, number];
const linear = (hex: string) => [1, 3, 5].map((at) => (parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2) as Rgb;

// What people without red (protan) or green (deutan) cones see: Machado, Oliveira and Fernandes, 2009, severity 1.
const SEEN: Record<string, number[][]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
};

function lab(rgb: Rgb): Rgb {
  const [r, g, b] = rgb.map((v) => Math.min(Math.max(v, 0), 1)) as Rgb;
  const xyz = [0.4124 * r + 0.3576 * g + 0.1805 * b, 0.2126 * r + 0.7152 * g + 0.0722 * b, 0.0193 * r + 0.1192 * g + 0.9505 * b];
  const [x, y, z] = xyz.map((v, i) => {
    const t = v / [0.9505, 1, 1.089][i]!;
    return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
  }) as Rgb;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function distance(a: string, b: string, seen: number[][]): number {
  const as = (hex: string) => lab(seen.map((row) => row.reduce((sum, v, i) => sum + v * linear(hex)[i]!, 0)) as Rgb);
  const [p, q] = [as(a), as(b)];
  return Math.hypot(...p.map((v, i) => v - q[i]!));
}

test('every line stands out from the card behind it, as WCAG demands of graphics', () => {
  for (const one of LINES_DARK) assert.isAtLeast(contrast(one, CARDS.dark), 3, one);
  for (const one of LINES_LIGHT) assert.isAtLeast(contrast(one, CARDS.light), 3, one);
});

test('the first lines differ for people who cannot tell red from green', () => {
  for (const [theme, all] of [['dark', LINES_DARK], ['light', LINES_LIGHT]] as const) {
    for (const [kind, seen] of Object.entries(SEEN)) {
      const some = all.slice(0, 6);
      some.forEach((a, i) => some.slice(i + 1).forEach((b) => assert.isAtLeast(distance(a, b, seen), 10, `${theme} ${kind}: ${a} and ${b}`)));
    }
  }
});

test('the scale of a map becomes lighter throughout', () => {
  const hex = (share: number) => `#${scaleColour(share).match(/\d+/g)!.map((v) => Number(v).toString(16).padStart(2, '0')).join('')}`;
  const light = Array.from({ length: 21 }, (_, i) => luminance(hex(i / 20)));
  for (let i = 1; i < light.length; ++i) assert.isAbove(light[i]!, light[i - 1]!, `step ${i}`);
  assert.equal(scaleColour(-1), scaleColour(0));
  assert.equal(scaleColour(7), scaleColour(1));
});
