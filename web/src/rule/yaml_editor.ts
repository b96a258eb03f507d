// The editor of a file of rules: CodeMirror with marks where the server finds faults. In a shadow root, as that of
// queries.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, type Range } from '@codemirror/state';
import { Decoration, EditorView, keymap, lineNumbers, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view';
import { codeTheme } from '../ui/code_theme';
import type { Problem } from './rule_api';

// Enough of YAML to tell comments, keys and texts apart.
const PARTS = /(?<comment>(?:^|\s)#.*)|(?<key>[\w-]+(?=:(?:\s|$)))|(?<text>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)/g;
const MARKS = Object.fromEntries(['comment', 'key', 'text'].map((name) => [name, Decoration.mark({ class: `yaml-${name}` })]));

function marksOf(view: EditorView): DecorationSet {
  const found: Range<Decoration>[] = [];
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to;) {
      const line = view.state.doc.lineAt(at);
      for (const part of line.text.matchAll(PARTS)) {
        const kind = Object.keys(MARKS).find((name) => part.groups![name] !== undefined)!;
        found.push(MARKS[kind]!.range(line.from + part.index, line.from + part.index + part[0].length));
      }
      at = line.to + 1;
    }
  }
  return Decoration.set(found);
}

const colours = ViewPlugin.fromClass(class {
  marks: DecorationSet;
  constructor(view: EditorView) {
    this.marks = marksOf(view);
  }
  update(update: ViewUpdate): void {
    if (update.docChanged || update.viewportChanged) this.marks = marksOf(update.view);
  }
}, { decorations: (plugin) => plugin.marks });

const style = EditorView.theme({
  '.cm-content': { padding: '8px 6px' }, '.cm-gutters': { background: 'var(--bg)', color: 'var(--dim)', border: 'none' },
  '.yaml-comment': { color: 'var(--dim)' }, '.yaml-key': { color: 'var(--accent)' }, '.yaml-text': { color: 'var(--alive)' },
});

export interface YamlEditor { set(text: string): void; text(): string; mark(problems: Problem[]): void; close(): void }

function diagnosticOf(state: EditorState, { line, column, text, warning }: Problem): Diagnostic {
  const at = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  const from = Math.min(at.from + [...at.text].slice(0, column - 1).join('').length, at.to);
  return { from, to: Math.max(from, Math.min(from + 1, at.to)), severity: warning ? 'warning' : 'error', message: text };
}

export function createYamlEditor(place: HTMLElement, text: string, changed: (text: string) => void): YamlEditor {
  const root = place.shadowRoot ?? place.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root, parent: root,
    state: EditorState.create({ doc: text, extensions: [
      lineNumbers(), history(), colours, codeTheme, style, EditorState.tabSize.of(2), keymap.of([...historyKeymap, ...defaultKeymap]),
      EditorView.contentAttributes.of({ 'aria-label': 'Rules as YAML', spellcheck: 'false' }),
      EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
    ] }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    mark: (problems) => view.dispatch(setDiagnostics(view.state, problems.map((one) => diagnosticOf(view.state, one)))),
    close: () => view.destroy(),
  };
}
