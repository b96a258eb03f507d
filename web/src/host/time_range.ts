// The range of time that charts show: the last `span` seconds (live), or a fixed range.

export const DEFAULT_SPAN = 900;
const LEAST = 5;

export function fixedParameters([from, to]: [number, number]): Record<string, string> {
  return { from: from.toFixed(3), to: to.toFixed(3) };
}

export class TimeRange {
  span = DEFAULT_SPAN;
  fixed: [number, number] | null = null;  // null: live

  // `now` returns the server's time in seconds.
  constructor(private readonly now: () => number) {}

  get live(): boolean {
    return this.fixed === null;
  }
  bounds(): [number, number] {
    return this.fixed ?? [this.now() - this.span, this.now()];
  }

  // read() takes the range from the page's address; parameters() returns it in the form for the address.
  read(parameters: URLSearchParams): void {
    this.span = Number(parameters.get('span') ?? DEFAULT_SPAN) || DEFAULT_SPAN;
    const from = Number(parameters.get('from'));
    const to = Number(parameters.get('to'));
    this.fixed = from > 0 && to > from ? [from, to] : null;
  }
  parameters(): Record<string, string> {
    if (this.fixed !== null) return fixedParameters(this.fixed);
    return this.span === DEFAULT_SPAN ? {} : { span: String(this.span) };
  }

  goLive(span = this.span): void {
    this.span = span;
    this.fixed = null;
  }
  // Moves by a share of the visible range. Moving past the present makes the range live again.
  pan(by: number): void {
    const [from, to] = this.bounds();
    const shift = (to - from) * by;
    if (to + shift >= this.now()) this.goLive(Math.round(to - from));
    else this.fixed = [from + shift, to + shift];
  }
  zoomIn(): void {
    this.scale(0.5);
  }
  zoomOut(): void {
    this.scale(2);
  }
  private scale(by: number): void {
    const [from, to] = this.bounds();
    const width = Math.max((to - from) * by, LEAST);
    const middle = (from + to) / 2;
    if (this.live) this.span = Math.round(width);
    else this.fixed = [middle - width / 2, Math.min(middle + width / 2, this.now())];
  }
}
