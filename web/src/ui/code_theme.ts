// The looks of CodeMirror in the colours of the page.
import { EditorView } from '@codemirror/view';

export const codeTheme = EditorView.theme({
  '&': { color: 'var(--ink)', background: 'var(--field)', border: '1px solid var(--line-strong)', borderRadius: '8px', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-content': { fontFamily: 'var(--mono)', padding: '10px 12px', caretColor: 'var(--ink)', minHeight: '42px' },
  '.cm-line': { padding: '0' },
  '.cm-placeholder': { color: 'var(--dim)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--accent-soft) !important' },
  // No background: browsers would copy it to what is typed there, as an inline style, which the policy forbids.
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { background: 'none', outline: '1px solid var(--accent)' },
  '&.cm-focused .cm-nonmatchingBracket': { background: 'none', outline: '1px solid var(--gone)' },
  '.cm-tooltip': { background: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line-strong)', borderRadius: '6px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-soft)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--dim)', fontStyle: 'normal' },
  // Nor a decoration of the text.
  '.token-text': { color: 'var(--alive)' }, '.token-number': { color: 'var(--spooling)' }, '.token-comment': { color: 'var(--dim)' },
  '.token-word': { color: 'var(--unknown)' }, '.token-function': { color: 'var(--late)' }, '.token-name': { color: 'var(--accent)' },
  '.cm-lintRange-error': { borderBottom: '2px dotted var(--gone)' },
  '.cm-lintRange-warning': { borderBottom: '2px dotted var(--late)' },
  '.explanation, .cm-completionInfo': { padding: '6px 10px', fontSize: '12px', lineHeight: '1.5', maxWidth: '440px', fontFamily: 'var(--sans)' },
  '.explanation p': { margin: '2px 0' },
});
