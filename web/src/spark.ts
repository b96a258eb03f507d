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
  context.beginPath();
  let down = false;
  values.forEach((v, i) => {
    if (v === null) {
      down = false;
      return;
    }
    const x = i * step;
    const y = height - 1.5 - (Math.min(v, most) / most) * (height - 3);
    if (down) context.lineTo(x, y);
    else context.moveTo(x, y);
    // A value between two gaps is drawn as a dot.
    if (!down && (values[i + 1] ?? null) === null) context.lineTo(x + 1.5, y);
    down = true;
  });
  context.lineWidth = 1.25;
  context.strokeStyle = sparkColour();
  context.stroke();
}

let colour = '';
export function sparkColour(): string {
  if (colour === '') colour = getComputedStyle(document.documentElement).getPropertyValue('--spark').trim() || '#1f6f5c';
  return colour;
}
export function forgetColours(): void {
  colour = '';
}
