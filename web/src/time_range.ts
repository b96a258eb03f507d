// The time that charts show: the last `span` seconds, moving on, or a fixed window.

export const DEFAULT_SPAN = 900;
const LEAST = 5;

export class TimeRange {
  span = DEFAULT_SPAN;
  window: [number, number] | null = null;  // null: live

  // `now`: s, by the server's clock.
  constructor(private readonly now: () => number) {}

  get live(): boolean {
    return this.window === null;
  }
  bounds(): [number, number] {
    return this.window ?? [this.now() - this.span, this.now()];
  }

  // From and to the page's address.
  read(parameters: URLSearchParams): void {
    this.span = Number(parameters.get('span') ?? DEFAULT_SPAN) || DEFAULT_SPAN;
    const from = Number(parameters.get('from'));
    const to = Number(parameters.get('to'));
    this.window = from > 0 && to > from ? [from, to] : null;
  }
  parameters(): Record<string, string> {
    if (this.window !== null) return { from: this.window[0].toFixed(3), to: this.window[1].toFixed(3) };
    return this.span === DEFAULT_SPAN ? {} : { span: String(this.span) };
  }

  goLive(span = this.span): void {
    this.span = span;
    this.window = null;
  }
  // By that share of what is shown; far enough to the right it is live again.
  pan(by: number): void {
    const [from, to] = this.bounds();
    const shift = (to - from) * by;
    if (to + shift >= this.now()) this.goLive(Math.round(to - from));
    else this.window = [from + shift, to + shift];
  }
  zoom(by: number): void {
    const [from, to] = this.bounds();
    const width = Math.max((to - from) * by, LEAST);
    const middle = (from + to) / 2;
    if (this.live) this.span = Math.round(width);
    else this.window = [middle - width / 2, Math.min(middle + width / 2, this.now())];
  }
}
