// The difference of two texts.
import { diff, folded } from '../lib/diff';

const SIGNS = { same: ' ', old: '-', new: '+', gap: '' };
const WORDS = { same: '', old: 'removed: ', new: 'added: ', gap: '' };

export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = folded(diff(before, after));
  if (!lines.some((one) => one.kind !== 'same' && one.kind !== 'gap')) return <p class="dim">No difference.</p>;
  return (
    <pre class="diff" tabIndex={0} role="region" aria-label={label}>{lines.map((one, i) => (
      one.kind === 'gap' ? <span key={i} class="is-gap">{`⋯ ${one.text} unchanged\n`}</span>
        : <span key={i} class={`is-${one.kind}`}>{WORDS[one.kind] !== '' && <span class="visually-hidden">{WORDS[one.kind]}</span>}{`${SIGNS[one.kind]} ${one.text}\n`}</span>
    ))}</pre>
  );
}
