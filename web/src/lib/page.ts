// The addresses of pages.

// "#/agent?agents=a"
export function link(page: string, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${page}${query === '' ? '' : `?${query}`}`;
}

// `visit` opens another page. The current page records its state with the others: after `push`, the browser's Back
// button returns to the previous state (useNewParameters in shell/pages.ts); `replace` adds no step.
export function go(page: string, parameters: Record<string, string> = {}, how: 'visit' | 'push' | 'replace' = 'visit'): void {
  const hash = link(page, parameters);
  if (how === 'visit') location.hash = hash;
  else if (how === 'replace') history.replaceState(null, '', hash);
  else if (hash !== location.hash) history.pushState(null, '', hash);
}
