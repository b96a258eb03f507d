// What the palette offers, and in which order. Knows nothing of the DOM.
export interface Item { kind: 'page' | 'host' | 'metric' | 'action'; title: string; note: string; run: () => void }

// How well `text` fits what was typed; 0: not at all. The start of the text or of a word counts more than letters in
// order.
export function score(text: string, typed: string): number {
  const where = text.toLowerCase();
  const wanted = typed.trim().toLowerCase();
  if (wanted === '') return 1;
  if (where === wanted) return 100;
  if (where.startsWith(wanted)) return 80;
  const at = where.indexOf(wanted);
  if (at > 0) return /[^a-z0-9]/.test(where[at - 1]!) ? 70 : 50;
  let from = 0;
  for (const letter of wanted.replaceAll(' ', '')) {
    from = where.indexOf(letter, from) + 1;
    if (from === 0) return 0;
  }
  return 10 + 20 * (wanted.length / where.length);
}

const MOST = 40;

const KINDS = ['page', 'host', 'action', 'metric'];  // the order while nothing is typed

export function find(items: Item[], typed: string): Item[] {
  return items
    .map((item) => ({ item, value: Math.max(score(item.title, typed), item.note.toLowerCase().includes(typed.trim().toLowerCase()) ? 40 : 0) }))
    .filter((one) => one.value > 0)
    .sort((a, b) => b.value - a.value || KINDS.indexOf(a.item.kind) - KINDS.indexOf(b.item.kind) || a.item.title.localeCompare(b.item.title, 'en', { numeric: true }))
    .slice(0, MOST)
    .map((one) => one.item);
}
