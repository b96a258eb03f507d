// What a change of a text does, line by line.
import { diff, folded } from '../lib/diff';

const SIGNS = { same: ' ', old: '-', new: '+', gap: '' };
const WORDS = { same: '', old: 'removed: ', new: 'added: ', gap: '' };

export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = folded(diff(before, after));
  return (
    <div class="diff" role="group" aria-label={label} tabIndex={0}>
      {lines.map((line, i) => (line.kind === 'gap'
        ? <div key={i} class="is-gap dim">{line.text} unchanged lines</div>
        : <div key={i} class={`is-${line.kind}`}><span class="visually-hidden">{WORDS[line.kind]}</span><span aria-hidden="true">{SIGNS[line.kind]}</span>{line.text === '' ? ' ' : line.text}</div>))}
    </div>
  );
}
