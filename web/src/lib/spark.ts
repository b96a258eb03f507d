// The shape of a sparkline: paths of a drawing that is one unit wide for each step and HEIGHT units high. Knows nothing of
// the DOM.
//
// Sparklines are SVG: a canvas is a layer of its own for the browser, and a table with a hundred of them scrolls at half of
// the speed.

export const HEIGHT = 20;
const EDGE = 1.5;  // between the drawing's upper and lower edges and the line

export interface Shape { width: number; line: string; area: string }

// `top`: the value at the upper edge; null: the largest one. There is a gap in the line where a value is null.
export function shapeOf(values: (number | null)[], top: number | null): Shape {
  let most = top ?? 0;
  if (top === null) for (const v of values) if (v !== null && v > most) most = v;
  if (most <= 0) most = 1;
  const y = (v: number) => (HEIGHT - EDGE - (Math.min(v, most) / most) * (HEIGHT - 2 * EDGE)).toFixed(1);
  const shape: Shape = { width: Math.max(values.length - 1, 1), line: '', area: '' };
  for (const [first, last] of runs(values)) {
    let run = `M${first} ${y(values[first]!)}`;
    for (let i = first + 1; i <= last; ++i) run += `L${i} ${y(values[i]!)}`;
    shape.line += first === last ? `${run}h0` : run;  // a value between two gaps is a dot
    if (first < last) shape.area += `${run}V${HEIGHT}H${first}Z`;
  }
  return shape;
}

// The first and the last index of each run of values between gaps.
export function runs(values: (number | null)[]): [number, number][] {
  const found: [number, number][] = [];
  values.forEach((v, i) => {
    const last = found[found.length - 1];
    if (v === null) return;
    if (last !== undefined && last[1] === i - 1) last[1] = i;
    else found.push([i, i]);
  });
  return found;
}
