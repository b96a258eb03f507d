// The editor of queries: CodeMirror with the grammar of PromQL. It lives in a shadow root, because there its styles are
// adopted as objects: the page's content security policy forbids style elements.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, LRLanguage, syntaxHighlighting, syntaxTree } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { parser } from '@prometheus-io/lezer-promql';
import { faultMarks, showFaults, type CodeFault } from '../ui/code_faults';
import { codeColours, codeTheme } from '../ui/code_theme';
import { complete } from './complete';
import type { Place } from './query';

const language = LRLanguage.define({ parser, languageData: { closeBrackets: { brackets: ['(', '[', '{', "'", '"'] } } });

// Where the grammar does not fit.
function faults(view: EditorView): CodeFault[] {
  const found: CodeFault[] = [];
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
  let soon = 0;
  const view: EditorView = new EditorView({
    root, parent: root,
    state: EditorState.create({ doc: text, extensions: [
      keymap.of([{ key: 'Enter', run: () => { run(); return true; } }, { key: 'Shift-Enter', run: ({ state, dispatch }) => { dispatch(state.replaceSelection('\n')); return true; } }]),
      history(), bracketMatching(), closeBrackets(), language, syntaxHighlighting(codeColours), codeTheme, EditorView.lineWrapping,
      autocompletion({ override: [suggestions], icons: false }), faultMarks,
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
      placeholder('A query, e.g. avg by (agent) (system_cpu_utilization_ratio)'),
      EditorView.contentAttributes.of({ 'aria-label': 'Query', spellcheck: 'false' }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        changed(update.state.doc.toString());
        clearTimeout(soon);
        soon = window.setTimeout(() => showFaults(view, faults(view)), 400);
      }),
    ] }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    fault(message, at) {
      if (message === '' || at === null) {
        showFaults(view, []);
        return;
      }
      const line = view.state.doc.line(Math.min(Math.max(at.line, 1), view.state.doc.lines));
      const from = Math.min(line.from + at.column - 1, Math.max(view.state.doc.length - 1, 0));
      showFaults(view, [{ from, to: from + 1, severity: 'error', message }]);
    },
    focus: () => view.focus(),
    close() {
      clearTimeout(soon);
      view.destroy();
    },
  };
}
