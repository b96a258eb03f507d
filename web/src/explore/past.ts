// The last queries of this browser.
const KEY = 'monitor-queries';
const MOST = 30;

export function past(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found.map(String) : [];
  } catch {
    return [];
  }
}

export function remember(expression: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([expression, ...past().filter((one) => one !== expression)].slice(0, MOST)));
  } catch {
    // Storage may be forbidden or full; the query works all the same.
  }
}
