// Marks what is wrong in the text of an editor. The pointer on a mark shows why.
import { RangeSet, StateEffect, StateField, type EditorState, type Extension } from '@codemirror/state';
import { Decoration, EditorView, GutterMarker, gutterLineClass, hoverTooltip, lineNumbers, WidgetType, type DecorationSet } from '@codemirror/view';

export interface CodeFault { from: number; to: number; severity: 'error' | 'warning'; message: string }

const replace = StateEffect.define<CodeFault[]>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, change) {
    const next = change.effects.find((one) => one.is(replace));
    if (next === undefined) return value.map(change.changes);
    const { length } = change.state.doc;
    const within = (next.value as CodeFault[]).map((one) => ({ ...one, from: Math.min(one.from, Math.max(length - 1, 0)), to: Math.min(Math.max(one.to, one.from + 1), length) }));
    return Decoration.set(within.filter((one) => one.from < one.to).map((one) => Decoration.mark({ class: `cm-lintRange-${one.severity}`, message: one.message, severity: one.severity }).range(one.from, one.to)), true);
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

class LineMark extends GutterMarker {
  constructor(readonly severity: string) {
    super();
    this.elementClass = `has-${severity}`;
  }
  override eq(other: LineMark): boolean { return other.severity === this.severity; }
}

class LineText extends WidgetType {
  constructor(private readonly text: string, private readonly severity: string) { super(); }
  override eq(other: LineText): boolean { return other.text === this.text && other.severity === this.severity; }
  override toDOM(): HTMLElement {
    const dom = document.createElement('span');
    dom.className = `line-fault is-${this.severity}`;
    dom.textContent = this.text;
    return dom;
  }
}

interface LineFault { line: number; to: number; severity: string; text: string }

// The first fault of each line, and how many more it has.
function faultyLines(state: EditorState): LineFault[] {
  const found = new Map<number, { at: LineFault; more: number }>();
  state.field(marks).between(0, state.doc.length, (from, _to, mark) => {
    const line = state.doc.lineAt(from);
    const { message, severity } = mark.spec as { message: string; severity: string };
    const known = found.get(line.from);
    if (known === undefined) found.set(line.from, { at: { line: line.from, to: line.to, severity, text: message }, more: 0 });
    else ++known.more;
  });
  return [...found.values()].map(({ at, more }) => ({ ...at, text: more === 0 ? at.text : `${at.text} (and ${more} more)` }));
}

// For editors of many lines: their numbers, and what is wrong in a line beside it.
export const numberedLines: Extension = [
  lineNumbers(),
  EditorView.lineWrapping,  // also for what is beside a line
  gutterLineClass.compute([marks], (state) => RangeSet.of(faultyLines(state).map((one) => new LineMark(one.severity).range(one.line)))),
  EditorView.decorations.compute([marks], (state) => Decoration.set(faultyLines(state).map((one) => Decoration.widget({ widget: new LineText(one.text, one.severity), side: 1 }).range(one.to)))),
  EditorView.theme({
    '.cm-content': { padding: '8px 6px' },
    '.cm-gutters': { background: 'var(--bg)', color: 'var(--dim)', border: 'none', borderRadius: '8px 0 0 8px' },
    '.cm-gutterElement.has-error, .cm-gutterElement.has-warning': { fontWeight: '700' },
    '.cm-gutterElement.has-error': { color: 'var(--gone)' },
    '.cm-gutterElement.has-warning': { color: 'var(--late)' },
    '.line-fault': { marginLeft: '16px', fontFamily: 'var(--sans)', fontSize: '12px', whiteSpace: 'normal' },
    '.line-fault.is-error': { color: 'var(--gone)' },
    '.line-fault.is-warning': { color: 'var(--late)' },
  }),
];

export function showFaults(view: EditorView, faults: CodeFault[]): void {
  view.dispatch({ effects: replace.of(faults) });
}
