// What every page is to the shell.

export interface Page {
  readonly element: HTMLElement;
  // It is taken away.
  close?(): void;
  // A key that the shell has no use for; true: it was used.
  key?(event: KeyboardEvent): boolean;
  // It is light now, or dark: what took its colours from the style takes them anew.
  recolour?(): void;
  // Something in it would be lost with it.
  unsaved?(): boolean;
  // The hash's parameters changed while it is shown.
  update?(parameters: URLSearchParams): void;
}

export type MakePage = (parameters: URLSearchParams) => Page;

// "#/agent?agents=a" without going there.
export function link(page: string, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${page}${query === '' ? '' : `?${query}`}`;
}

// `visit`: another page. The page that is shown says with the others where it is by now: with `push` the browser's Back
// leads to where it was, as `update`; `replace` is for what would be too many steps.
export function go(page: string, parameters: Record<string, string> = {}, how: 'visit' | 'push' | 'replace' = 'visit'): void {
  const hash = link(page, parameters);
  if (how === 'visit') location.hash = hash;
  else if (how === 'replace') history.replaceState(null, '', hash);
  else if (hash !== location.hash) history.pushState(null, '', hash);
}
