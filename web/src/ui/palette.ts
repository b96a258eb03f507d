// Colours of charts. The lines' colours differ in lightness as well as in hue, so that colour-blind people can tell
// them apart; palette.test.ts computes how they see them.
export const LINES_DARK = ['#5aa9f0', '#f0935a', '#7fe3cf', '#f2d94e', '#d878a8', '#6379f7', '#b5651d', '#aab4be'];
export const LINES_LIGHT = ['#0b63b0', '#c4520a', '#12a08c', '#4a1d6b', '#b09000', '#a02f74', '#6d2b11', '#5a6672'];

export function lineColour(i: number, dark: boolean): string {
  const list = dark ? LINES_DARK : LINES_LIGHT;
  return list[i % list.length]!;
}

// The scale of a map: from little to much, by lightness first. Points of the scale `viridis`, which keeps its order in
// grey and for colour-blind people.
const SCALE: [number, number, number][] = [[68, 1, 84], [65, 68, 135], [42, 120, 142], [34, 168, 132], [122, 209, 81], [253, 231, 37]];

// `share` from 0 to 1.
export function scaleColour(share: number): string {
  const at = Math.min(Math.max(share, 0), 1) * (SCALE.length - 1);
  const i = Math.min(Math.floor(at), SCALE.length - 2);
  const [a, b] = [SCALE[i]!, SCALE[i + 1]!];
  const mixed = a.map((v, k) => Math.round(v + (b[k]! - v) * (at - i)));
  return `rgb(${mixed.join(' ')})`;
}

// Relative luminance, as WCAG defines it, from 0 (black) to 1.
export function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const v = parseInt(hex.slice(at, at + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}
