// made = stored + waiting + dropped + missing, as numbers that add up.
import { count, many } from '../lib/format';
import { difference, PART_WORDS, PARTS, type Totals, type Unit } from './run';

const ALWAYS = ['stored', 'waiting', 'dropped', 'missing'];

export function Equation({ totals, unit, estimated }: { totals: Totals; unit: Unit; estimated: boolean }) {
  const left = difference(totals);
  const word = unit === 'points' ? 'point' : 'batch';
  return (
    <>
      <p class="equation" role="status" aria-label="What became of everything that was made">
        <span class="term" data-part="made" data-value={totals.made}><b>{count(totals.made)}</b><span>{unit} made</span></span>
        {PARTS.filter((part) => ALWAYS.includes(part) || totals[part] > 0).map((part, i) => (
          <span key={part} class={`term is-${part}${totals[part] > 0 && part === 'missing' ? ' warn' : ''}`} data-part={part} data-value={totals[part]}><i aria-hidden="true">{i === 0 ? '=' : '+'}</i><b>{count(totals[part])}</b><span>{PART_WORDS[part]}</span></span>
        ))}
      </p>
      {left !== 0 && <p class="warn" role="alert">{left > 0 ? `${many(left, word, `${word}${unit === 'batches' ? 'es' : 's'}`)} of these are in no part: their agents count more than the log explains.` : `${count(-left)} more ${unit} are in the log than their agents count as made.`}</p>}
      {estimated && unit === 'points' && <p class="dim">The points of some batches that did not arrive are known only together; they are divided among waiting and missing by the number of batches.</p>}
    </>
  );
}
