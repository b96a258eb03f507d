// The editor of a file of rules: CodeMirror with marks where the server finds faults. In a shadow root, as that of
// queries.
import { history, historyKeymap, standardKeymap } from '@codemirror/commands';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { faultMarks, numberedLines, showFaults, type CodeFault } from '../ui/code_faults';
import { codeTheme } from '../ui/code_theme';
import { colourBy, tokensBy } from '../ui/code_tokens';
import type { Problem } from './rule_api';

// Enough of YAML to tell comments, keys and texts apart.
const yamlTokens = tokensBy(/(?<comment>(?<=^|\s)#.*)|(?<name>[\w-]+(?=:(?:\s|$)))|(?<text>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\n]|'')*'?)/gm,
  ({ groups }) => (['comment', 'name', 'text'] as const).find((kind) => groups![kind] !== undefined) ?? null);

export interface YamlEditor { set(text: string): void; text(): string; mark(problems: Problem[]): void; close(): void }

function faultOf(state: EditorState, { line, column, text, warning }: Problem): CodeFault {
  const at = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  const from = Math.min(at.from + [...at.text].slice(0, column - 1).join('').length, at.to);
  return { from, to: Math.max(from, Math.min(from + 1, at.to)), severity: warning ? 'warning' : 'error', message: text };
}

export function createYamlEditor(place: HTMLElement, text: string, changed: (text: string) => void): YamlEditor {
  const root = place.shadowRoot ?? place.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root, parent: root,
    state: EditorState.create({ doc: text, extensions: [
      history(), colourBy(yamlTokens), codeTheme, faultMarks, numberedLines, EditorState.tabSize.of(2), keymap.of([...historyKeymap, ...standardKeymap]),
      EditorView.contentAttributes.of({ 'aria-label': 'Rules as YAML', spellcheck: 'false' }),
      EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
    ] }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    mark: (problems) => showFaults(view, problems.map((one) => faultOf(view.state, one))),
    close: () => view.destroy(),
  };
}
