// The editor of queries: CodeMirror with completion, colours, and the server's faults at their place. It lives in a shadow
// root, because there its styles are adopted as objects: the page's content security policy forbids style elements.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { history, historyKeymap, standardKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { faultMarks, showFaults, type CodeFault } from '../ui/code_faults';
import { codeTheme } from '../ui/code_theme';
import { colourBy } from '../ui/code_tokens';
import { complete } from './complete';
import { promqlTokens } from './promql_tokens';
import { faultOf, type Place } from './query';

const brackets = EditorState.languageData.of(() => [{ closeBrackets: { brackets: ['(', '[', '{', "'", '"'] } }]);

function faultAt(view: EditorView, message: string, at: Place): CodeFault {
  const line = view.state.doc.line(Math.min(Math.max(at.line, 1), view.state.doc.lines));
  const from = Math.min(line.from + at.column - 1, Math.max(view.state.doc.length - 1, 0));
  return { from, to: from + 1, severity: 'error', message };
}

// Asks the server's parser whether the text is a query, and marks what it says.
async function check(view: EditorView): Promise<void> {
  const text = view.state.doc.toString();
  const found = text.trim() === '' ? null : await faultOf(text);
  if (text === view.state.doc.toString()) showFaults(view, found === null ? [] : [faultAt(view, found.message, found.place)]);
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
      history(), bracketMatching(), closeBrackets(), brackets, colourBy(promqlTokens), codeTheme, EditorView.lineWrapping,
      autocompletion({ override: [suggestions], icons: false }), faultMarks,
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...standardKeymap]),
      placeholder('A query, e.g. avg by (agent) (system_cpu_utilization_ratio)'),
      EditorView.contentAttributes.of({ 'aria-label': 'Query', spellcheck: 'false' }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        changed(update.state.doc.toString());
        clearTimeout(soon);
        soon = window.setTimeout(() => void check(view), 400);
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
      showFaults(view, [faultAt(view, message, at)]);
    },
    focus: () => view.focus(),
    close() {
      clearTimeout(soon);
      view.destroy();
    },
  };
}
