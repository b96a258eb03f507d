// The interface between a page and the shell (main.ts).

export interface Page {
  readonly element: HTMLElement;
  // The page is being removed.
  close?(): void;
  // Handles a key that the shell does not handle; returns true if it did.
  key?(event: KeyboardEvent): boolean;
  // The theme has changed: read the colours from the style again.
  recolour?(): void;
  // True if leaving the page would lose changes.
  unsaved?(): boolean;
  // The parameters in the address have changed.
  update?(parameters: URLSearchParams): void;
}

export type MakePage = (parameters: URLSearchParams) => Page;

// "#/agent?agents=a"
export function link(page: string, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${page}${query === '' ? '' : `?${query}`}`;
}

// `visit` opens another page. The current page records its state with the others: after `push`, the browser's Back
// button returns to the previous state through update(); `replace` adds no step.
export function go(page: string, parameters: Record<string, string> = {}, how: 'visit' | 'push' | 'replace' = 'visit'): void {
  const hash = link(page, parameters);
  if (how === 'visit') location.hash = hash;
  else if (how === 'replace') history.replaceState(null, '', hash);
  else if (hash !== location.hash) history.pushState(null, '', hash);
}
