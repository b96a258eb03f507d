// The difference of two texts, line by line. Knows nothing of the DOM.

export interface DiffLine { kind: 'same' | 'old' | 'new' | 'gap'; text: string }

const AROUND = 3;       // lines of context
const MOST = 4_000_000;  // cells of the table of common lines

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

// The table of the lengths of the longest common subsequences, from the end.
function common(a: string[], b: string[]): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; --i) {
    for (let k = b.length - 1; k >= 0; --k) {
      table[i * width + k] = a[i] === b[k] ? table[(i + 1) * width + k + 1]! + 1 : Math.max(table[(i + 1) * width + k]!, table[i * width + k + 1]!);
    }
  }
  return table;
}

function changed(a: string[], b: string[]): DiffLine[] {
  const all = (kind: 'old' | 'new', lines: string[]) => lines.map((text): DiffLine => ({ kind, text }));
  if ((a.length + 1) * (b.length + 1) > MOST) return [...all('old', a), ...all('new', b)];
  const table = common(a, b);
  const width = b.length + 1;
  const found: DiffLine[] = [];
  let [i, k] = [0, 0];
  while (i < a.length || k < b.length) {
    if (i < a.length && k < b.length && a[i] === b[k]) {
      found.push({ kind: 'same', text: a[i]! });
      ++i;
      ++k;
    } else if (i < a.length && (k === b.length || table[(i + 1) * width + k]! >= table[i * width + k + 1]!)) found.push({ kind: 'old', text: a[i++]! });
    else found.push({ kind: 'new', text: b[k++]! });
  }
  return found;
}

export function diff(before: string, after: string): DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) ++start;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) ++end;
  const same = (lines: string[]) => lines.map((text): DiffLine => ({ kind: 'same', text }));
  return [...same(a.slice(0, start)), ...changed(a.slice(start, a.length - end), b.slice(start, b.length - end)), ...same(a.slice(a.length - end))];
}

// Only what changed, with some lines around it; a gap says how many lines are left out.
export function folded(lines: DiffLine[]): DiffLine[] {
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some((one) => one.kind !== 'same'));
  const found: DiffLine[] = [];
  let hidden = 0;
  lines.forEach((line, i) => {
    if (!near[i]) ++hidden;
    if (hidden > 0 && (near[i] || i + 1 === lines.length)) {
      found.push({ kind: 'gap', text: String(hidden) });
      hidden = 0;
    }
    if (near[i]) found.push(line);
  });
  return found;
}
