// The editor of a document: CodeMirror with the schema. It lives in a shadow root, where its styles are adopted as objects
// (decision 274).
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { history, historyKeymap, standardKeymap } from '@codemirror/commands';
import { bracketMatching, indentService, indentUnit } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView, hoverTooltip, keymap } from '@codemirror/view';
import type { Problem } from '../lib/api';
import { boxOf, faultMarks, numberedLines, showFaults, type CodeFault } from '../ui/code_faults';
import { codeTheme } from '../ui/code_theme';
import { colourBy } from '../ui/code_tokens';
import { explainAt, offer } from './assist';
import { jsonTokens } from './json_tokens';
import { placeOf, scan } from './scan';
import type { Schema } from './schema';

const STEP = 4;
// A new line begins under the last one, or a step further in after an opening bracket.
const indent = indentService.of(({ state }, at) => {
  const { text } = state.doc.lineAt(at);
  const before = text.slice(0, at - state.doc.lineAt(at).from);
  return /^ */.exec(text)![0].length + (/[[{]\s*$/.test(before) ? STEP : 0);
});
const brackets = EditorState.languageData.of(() => [{ closeBrackets: { brackets: ['[', '{', '"'] } }]);

const theme = EditorView.theme({
  '.cm-scroller': { minHeight: '240px', maxHeight: '60vh', overflow: 'auto', lineHeight: '1.55' },
});

// A browser that replaces selected text copies its look to the new text, as an inline style, which the content security
// policy refuses with a message. So the editor replaces it itself.
const replacing = EditorView.domEventHandlers({ beforeinput(event, view) {
  const { data, inputType } = event;
  const range = event.getTargetRanges()[0];
  if (inputType !== 'insertText' || data === null || range === undefined || view.state.readOnly || ['[', '{', '"'].includes(data)) return false;
  const from = view.posAtDOM(range.startContainer, range.startOffset);
  const to = view.posAtDOM(range.endContainer, range.endOffset);
  if (from >= to) return false;
  view.dispatch({ changes: { from, to, insert: data }, selection: { anchor: from + data.length }, userEvent: 'input.type', scrollIntoView: true });
  return true;
} });

export interface CodeEditor { set(text: string, readOnly: boolean): void; mark(problems: Problem[]): void; focus(): void; close(): void }

interface Wiring { text: string; readOnly: boolean; schema: () => Schema | null; changed: (text: string) => void }

// Where each problem is: what the text itself shows, and what the server says of a path or a line.
export function faultsOf(text: string, problems: Problem[]): CodeFault[] {
  const { root, faults } = scan(text);
  const found: CodeFault[] = faults.map((one) => ({ ...one, severity: 'error' }));
  if (faults.length > 0) return found;
  return problems.map((one) => ({ ...placeOf(root, one.path), severity: one.warning ? 'warning' : 'error', message: [one.message, one.known === '' ? '' : `did you mean ${JSON.stringify(one.known)}?`].filter((part) => part !== '').join('; ') }));
}

function completion(schema: () => Schema | null) {
  return (context: CompletionContext): CompletionResult | null => {
    const known = schema();
    const text = context.state.doc.toString();
    if (known === null || (!context.explicit && !/["\w-]$/.test(text.slice(0, context.pos)))) return null;
    const offered = offer(text, scan(text).root, known, context.pos);
    if (offered === null) return null;
    return {
      from: offered.from, to: offered.to, filter: false,
      options: offered.options
        .filter((one) => one.label.replaceAll('"', '').toLowerCase().startsWith(text.slice(offered.from, context.pos).replaceAll('"', '').toLowerCase()))
        .map((one) => ({ label: one.label, apply: one.apply, detail: one.detail, info: one.info })),
    };
  };
}

function explanation(schema: () => Schema | null) {
  return hoverTooltip((view, pos) => {
    const known = schema();
    const found = known === null ? null : explainAt(scan(view.state.doc.toString()).root, known, pos);
    if (found === null) return null;
    const texts = [found.text, found.bounds === '' ? '' : `Bounds: ${found.bounds}`, found.fallback === '' ? '' : `Default: ${found.fallback}`, found.since === '' ? '' : `Since ${found.since}`];
    return { pos: found.from, end: found.to, above: true, create: () => ({ dom: boxOf(texts) }) };
  });
}

export function createEditor(place: HTMLElement, wiring: Wiring): CodeEditor {
  const root = place.shadowRoot ?? place.attachShadow({ mode: 'open' });
  let problems: Problem[] = [];
  const state = (text: string, readOnly: boolean) => EditorState.create({ doc: text, extensions: [
    history(), bracketMatching(), closeBrackets(), brackets, indent, indentUnit.of(' '.repeat(STEP)), colourBy(jsonTokens), codeTheme, theme, replacing, faultMarks, numberedLines,
    autocompletion({ override: [completion(wiring.schema)], icons: false }), explanation(wiring.schema), EditorState.readOnly.of(readOnly),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...standardKeymap]),
    EditorView.contentAttributes.of({ 'aria-label': 'Document', spellcheck: 'false', ...(readOnly ? { 'aria-readonly': 'true' } : {}) }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) wiring.changed(update.state.doc.toString());
    }),
  ] });
  const view = new EditorView({ root, parent: root, state: state(wiring.text, wiring.readOnly) });
  const show = () => showFaults(view, faultsOf(view.state.doc.toString(), problems));
  let locked = wiring.readOnly;
  show();
  return {
    set(text, readOnly) {
      if (readOnly !== locked) view.setState(state(text, readOnly));
      else if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      locked = readOnly;
    },
    mark(next) {
      problems = next;
      show();
    },
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
