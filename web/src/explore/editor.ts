// The editor of queries: CodeMirror with the grammar of PromQL. It lives in a shadow root, because there its styles are
// adopted as objects: the page's content security policy forbids style elements.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, LRLanguage, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { linter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parser } from '@prometheus-io/lezer-promql';
import { complete } from './complete';
import type { Place } from './query';

const language = LRLanguage.define({ parser, languageData: { closeBrackets: { brackets: ['(', '[', '{', "'", '"'] } } });

const style = HighlightStyle.define([
  { tag: [tags.string], color: 'var(--alive)' }, { tag: [tags.number], color: 'var(--spooling)' }, { tag: [tags.comment], color: 'var(--dim)' },
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--unknown)' }, { tag: [tags.function(tags.variableName), tags.standard(tags.name)], color: 'var(--late)' }, { tag: [tags.labelName, tags.propertyName], color: 'var(--accent)' },
]);

export const theme = EditorView.theme({
  '&': { color: 'var(--ink)', background: 'var(--field)', border: '1px solid var(--line-strong)', borderRadius: '8px', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-content': { fontFamily: 'var(--mono)', padding: '10px 12px', caretColor: 'var(--ink)', minHeight: '42px' },
  '.cm-line': { padding: '0' },
  '.cm-placeholder': { color: 'var(--dim)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--accent-soft) !important' },
  '.cm-matchingBracket': { background: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '.cm-tooltip': { background: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line-strong)', borderRadius: '6px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--dim)', fontStyle: 'normal' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--gone)' },
});

// Where the grammar does not fit.
function faults(view: EditorView): Diagnostic[] {
  const found: Diagnostic[] = [];
  const { doc } = view.state;
  if (doc.toString().trim() === '') return found;
  syntaxTree(view.state).iterate({ enter: (node) => {
    if (!node.type.isError || found.length > 0) return;
    const from = Math.min(node.from, Math.max(doc.length - 1, 0));
    found.push({ from, to: Math.min(Math.max(node.to, from + 1), doc.length), severity: 'error', message: node.to > node.from ? `unexpected ${JSON.stringify(doc.sliceString(node.from, node.to))}` : 'something is missing here' });
  } });
  return found;
}

async function suggestions(context: CompletionContext): Promise<CompletionResult | null> {
  const before = context.state.sliceDoc(0, context.pos);
  const found = await complete(before, context.explicit);
  return found === null ? null : { from: context.pos - found.typed.length, options: found.options, validFor: found.valid };
}

export interface Editor { text(): string; set(text: string): void; fault(message: string, place: Place | null): void; focus(): void; close(): void }

export function createEditor(place: HTMLElement, text: string, run: () => void, changed: (text: string) => void): Editor {
  const root = place.shadowRoot ?? place.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root, parent: root,
    state: EditorState.create({ doc: text, extensions: [
      keymap.of([{ key: 'Enter', run: () => { run(); return true; } }, { key: 'Shift-Enter', run: ({ state, dispatch }) => { dispatch(state.replaceSelection('\n')); return true; } }]),
      history(), bracketMatching(), closeBrackets(), language, syntaxHighlighting(style), theme, EditorView.lineWrapping,
      autocompletion({ override: [suggestions], icons: false }), linter(faults, { delay: 400 }),
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
      placeholder('A query, e.g. avg by (agent) (system_cpu_utilization_ratio)'),
      EditorView.contentAttributes.of({ 'aria-label': 'Query', spellcheck: 'false' }),
      EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
    ] }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    fault(message, at) {
      if (message === '' || at === null) {
        view.dispatch(setDiagnostics(view.state, []));
        return;
      }
      const line = view.state.doc.line(Math.min(Math.max(at.line, 1), view.state.doc.lines));
      const from = Math.min(line.from + at.column - 1, Math.max(view.state.doc.length - 1, 0));
      view.dispatch(setDiagnostics(view.state, [{ from, to: Math.min(from + 1, view.state.doc.length), severity: 'error', message }]));
    },
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
