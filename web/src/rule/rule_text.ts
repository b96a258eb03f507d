// A rule as a form has it, and as the text of a file. A change of the form changes the lines of its rule only: comments
// and other rules stay as they are. Knows nothing of the DOM.
export type Pair = [string, string];
export interface Fields { kind: 'alert' | 'record'; name: string; expr: string; for: string; keep: string; labels: Pair[]; annotations: Pair[] }
export interface Lines { from: number; to: number; indent: number }  // of the text, from 0; `to` is not included

const PLAIN = /^[A-Za-z_][\w./ -]*(?::[\w./-]+)*$/;
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n)$/i;

// A scalar of YAML on one line.
export function scalar(text: string): string {
  const plain = (PLAIN.test(text) && !WORDS.test(text) && !text.endsWith(' ')) || /^\d+[a-z][a-z\d]*$/.test(text);
  return plain ? text : JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

// Long texts and expressions as blocks, so that they stay legible.
function entry(pad: string, name: string, text: string): string[] {
  const lines = text.replace(/\s+$/, '').split('\n');
  const simple = lines.length === 1 && !/[:#] |^[^A-Za-z_(]| #|:$|^-/.test(text);
  if (name === 'expr' && simple) return [`${pad}${name}: ${text.trim()}`];
  if ((name === 'expr' || lines.length > 1) && !/^\s|\t|\r/.test(text)) return [`${pad}${name}: ${text.endsWith('\n') ? '|' : '|-'}`, ...lines.map((one) => (one === '' ? '' : `${pad}  ${one}`))];
  return [`${pad}${name}: ${scalar(text)}`];
}

function map(pad: string, name: string, pairs: Pair[]): string[] {
  const given = pairs.filter(([key]) => key.trim() !== '');
  if (given.length === 0) return [];
  return [`${pad}${name}:`, ...given.flatMap(([key, value]) => entry(`${pad}  `, scalar(key.trim()), value))];
}

export function ruleLines(fields: Fields, indent: number): string[] {
  const pad = ' '.repeat(indent + 2);
  const lines = [
    `${pad}${fields.kind}: ${scalar(fields.name)}`, ...entry(pad, 'expr', fields.expr.trim()),
    ...(fields.kind === 'alert' && fields.for.trim() !== '' ? [`${pad}for: ${scalar(fields.for.trim())}`] : []),
    ...(fields.kind === 'alert' && fields.keep.trim() !== '' ? [`${pad}keep_firing_for: ${scalar(fields.keep.trim())}`] : []),
    ...map(pad, 'labels', fields.labels), ...(fields.kind === 'alert' ? map(pad, 'annotations', fields.annotations) : []),
  ];
  lines[0] = `${' '.repeat(indent)}- ${lines[0]!.trimStart()}`;
  return lines;
}

const indentOf = (line: string) => line.length - line.trimStart().length;

// The lines of an item of a list, whose content begins at this place (from 1). null: it is written in a form whose lines
// are not its own, such as {...} within [...].
export function itemLines(text: string, line: number, column: number): Lines | null {
  const all = text.split('\n');
  const before = [...(all[line - 1] ?? '')].slice(0, column - 1).join('');
  if (!/^\s*-\s+$/.test(before)) return null;
  const indent = before.indexOf('-');
  let to = line;
  for (let i = line; i < all.length; ++i) {
    if (all[i]!.trim() === '') continue;
    if (indentOf(all[i]!) <= indent) break;
    to = i + 1;
  }
  return { from: line - 1, to, indent };
}

// The text with other lines in this place, and where they are now.
export function withLines(text: string, at: Lines, lines: string[]): [string, Lines] {
  const all = text.split('\n');
  all.splice(at.from, at.to - at.from, ...lines);
  return [all.join('\n'), { ...at, to: at.from + lines.length }];
}

// A file with one rule, and the lines of the rule.
export function newFile(group: string, fields: Fields): [string, Lines] {
  const head = ['groups:', `  - name: ${scalar(group)}`, '    rules:'];
  const lines = ruleLines(fields, 6);
  return [[...head, ...lines, ''].join('\n'), { from: head.length, to: head.length + lines.length, indent: 6 }];
}

// The text with one more rule after this one, and its lines.
export function withRuleAfter(text: string, last: Lines, fields: Fields): [string, Lines] {
  return withLines(text, { from: last.to, to: last.to, indent: last.indent }, ruleLines(fields, last.indent));
}

export const EMPTY: Fields = { kind: 'alert', name: '', expr: '', for: '5m', keep: '', labels: [['severity', 'warning']], annotations: [['summary', '{{ $labels.agent }}: {{ $value }}']] };
