// A sparkline in a canvas.

export function spark(canvas: HTMLCanvasElement, values: (number | null)[], top: number | null): void {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 64;
  const height = canvas.clientHeight || 18;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  let most = top ?? 0;
  if (top === null) for (const v of values) if (v !== null && v > most) most = v;
  if (most <= 0) most = 1;
  const step = width / Math.max(values.length - 1, 1);
  const y = (v: number) => height - 1.5 - (Math.min(v, most) / most) * (height - 3);
  context.lineWidth = 1.25;
  context.lineJoin = 'round';
  context.strokeStyle = context.fillStyle = sparkColour();
  for (const [first, last] of runs(values)) {
    context.beginPath();
    context.moveTo(first * step, y(values[first]!));
    for (let i = first + 1; i <= last; ++i) context.lineTo(i * step, y(values[i]!));
    if (first === last) context.lineTo(first * step + 1.5, y(values[first]!));  // a value between two gaps is a dot
    context.stroke();
    context.lineTo(last * step, height);
    context.lineTo(first * step, height);
    context.globalAlpha = 0.14;
    context.fill();
    context.globalAlpha = 1;
  }
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

let colour = '';
export function sparkColour(): string {
  if (colour === '') colour = getComputedStyle(document.documentElement).getPropertyValue('--spark').trim() || '#1f6f5c';
  return colour;
}
export function forgetColours(): void {
  colour = '';
}
