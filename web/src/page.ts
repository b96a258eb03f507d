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

export function go(page: string, parameters: Record<string, string> = {}, replace = false): void {
  const hash = link(page, parameters);
  if (replace) history.replaceState(null, '', hash);
  else location.hash = hash;
}
