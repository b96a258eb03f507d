// Colours an editor's text by a function that finds its tokens. It costs a hundredth of a grammar.
import { RangeSetBuilder, type Extension } from '@codemirror/state';
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view';

export interface Token { from: number; to: number; kind: 'name' | 'text' | 'number' | 'word' | 'function' | 'comment' }

const MOST = 200_000;  // bytes that are coloured
const marks = new Map(['name', 'text', 'number', 'word', 'function', 'comment'].map((kind) => [kind, Decoration.mark({ class: `token-${kind}` })]));

function coloured(view: EditorView, tokens: (text: string) => Token[]): DecorationSet {
  const built = new RangeSetBuilder<Decoration>();
  for (const one of tokens(view.state.sliceDoc(0, MOST))) built.add(one.from, one.to, marks.get(one.kind)!);
  return built.finish();
}

export function colourBy(tokens: (text: string) => Token[]): Extension {
  return ViewPlugin.define((view) => ({
    decorations: coloured(view, tokens),
    update(change: ViewUpdate) { if (change.docChanged) this.decorations = coloured(change.view, tokens); },
  }), { decorations: (one) => one.decorations });
}

// The tokens that a regular expression finds, each of the kind that `kindOf` says.
export function tokensBy(pattern: RegExp, kindOf: (found: RegExpExecArray) => Token['kind'] | null): (text: string) => Token[] {
  return (text) => {
    const found: Token[] = [];
    for (const one of text.matchAll(pattern)) {
      const kind = kindOf(one as RegExpExecArray);
      if (kind !== null) found.push({ from: one.index, to: one.index + one[0].length, kind });
    }
    return found;
  };
}
