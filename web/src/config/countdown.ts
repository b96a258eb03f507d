// How much time is left. Knows nothing of the DOM.

const two = (n: number) => String(n).padStart(2, '0');

// "9:32 left", "2 d 03:10:00 left". `now` in milliseconds; null: it has no end.
export function left(expires: number | null, now: number): string {
  if (expires === null) return 'no end';
  const s = Math.ceil(expires - now / 1000);
  if (s <= 0) return 'over';
  const [days, hours, minutes, seconds] = [Math.floor(s / 86_400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60];
  const time = days > 0 || hours > 0 ? `${two(hours)}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
  return `${days > 0 ? `${days} d ` : ''}${time} left`;
}
