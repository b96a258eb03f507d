// Marks what is wrong in the text of an editor. The pointer on a mark shows why.
import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { Decoration, EditorView, hoverTooltip, type DecorationSet } from '@codemirror/view';

export interface CodeFault { from: number; to: number; severity: 'error' | 'warning'; message: string }

const replace = StateEffect.define<CodeFault[]>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, change) {
    const next = change.effects.find((one) => one.is(replace));
    if (next === undefined) return value.map(change.changes);
    const { length } = change.state.doc;
    const within = (next.value as CodeFault[]).map((one) => ({ ...one, from: Math.min(one.from, Math.max(length - 1, 0)), to: Math.min(Math.max(one.to, one.from + 1), length) }));
    return Decoration.set(within.filter((one) => one.from < one.to).map((one) => Decoration.mark({ class: `cm-lintRange-${one.severity}`, message: one.message }).range(one.from, one.to)), true);
  },
  provide: (field) => EditorView.decorations.from(field),
});

// A box with a paragraph for each text.
export function boxOf(texts: string[]): HTMLElement {
  const dom = document.createElement('div');
  dom.className = 'explanation';
  for (const text of texts) if (text !== '') dom.appendChild(document.createElement('p')).textContent = text;
  return dom;
}

export const faultMarks: Extension = [marks, hoverTooltip((view, at) => {
  const found: string[] = [];
  view.state.field(marks).between(at, at, (_from, _to, mark) => { found.push((mark.spec as { message: string }).message); });
  return found.length === 0 ? null : { pos: at, above: true, create: () => ({ dom: boxOf(found) }) };
})];

export function showFaults(view: EditorView, faults: CodeFault[]): void {
  view.dispatch({ effects: replace.of(faults) });
}
