// The looks of CodeMirror in the colours of the page.
import { HighlightStyle } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

export const codeColours = HighlightStyle.define([
  { tag: [tags.string], color: 'var(--alive)' }, { tag: [tags.number], color: 'var(--spooling)' }, { tag: [tags.comment], color: 'var(--dim)' },
  { tag: [tags.bool, tags.null, tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--unknown)' }, { tag: [tags.function(tags.variableName), tags.standard(tags.name)], color: 'var(--late)' },
  { tag: [tags.labelName, tags.propertyName], color: 'var(--accent)' },
]);

export const codeTheme = EditorView.theme({
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
  // Not a decoration of the text: browsers would copy that to what is typed there, as an inline style.
  '.cm-lintRange-error': { borderBottom: '2px dotted var(--gone)' },
  '.cm-lintRange-warning': { borderBottom: '2px dotted var(--late)' },
  '.explanation, .cm-completionInfo': { padding: '6px 10px', fontSize: '12px', lineHeight: '1.5', maxWidth: '440px', fontFamily: 'var(--sans)' },
  '.explanation p': { margin: '2px 0' },
});
