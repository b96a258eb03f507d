// One host: its state, and its main figures with their short past.
import type { Signal } from '@preact/signals';
import { byteRate, share } from '../lib/shown';
import { link } from '../lib/page';
import { age, many } from '../lib/format';
import { firingByAgent } from '../state/alerts';
import { Icon } from '../ui/icon';
import { Spark } from '../ui/spark';
import type { Known } from '../state/fleet_model';
import { wrongs } from '../lib/problems';
import { figureOf, pastOf, type Figure } from './totals';

const PARTS: { figure: Figure; title: string; top: number | null; show: (v: number | null) => string }[] = [
  { figure: 'cpu', title: 'CPU', top: 1, show: share },
  { figure: 'memory', title: 'Memory', top: 1, show: share },
  { figure: 'disk', title: 'Disk', top: null, show: (v) => byteRate(v) },
  { figure: 'network', title: 'Network', top: null, show: (v) => byteRate(v, true) },
];

function Part({ known, part }: { known: Known; part: (typeof PARTS)[number] }) {
  const value = figureOf(known, part.figure);
  const high = part.top === 1 && value !== null && value >= 0.9;
  return (
    <div class={`card-part${high ? ' is-high' : ''}`} data-figure={part.title} data-value={value ?? ''}>
      <span class="card-label">{part.title}</span>
      <b>{part.show(value)}</b>
      <Spark values={pastOf(known, part.figure)} top={part.top} />
    </div>
  );
}

export function HostCard({ known: row, now, selected }: { known: Signal<Known>; now: () => number; selected: boolean }) {
  const known = row.value;
  const { agent, host, health, why, labels, tick, unusual } = known.row;
  const firing = firingByAgent.value.get(agent) ?? 0;
  const wrong = wrongs(known.row);
  const reason = wrong.includes(why) ? '' : why;  // why it is not just alive
  return (
    <article class={`host-card is-${health}${selected ? ' selected' : ''}`} data-agent={agent}>
      <header>
        <i class="dot" title={why || health} />
        <h3><a href={link('agent', { agents: agent })}>{agent}</a></h3>
        {firing > 0 && <span class="pill is-firing"><Icon name="alerts" size={12} />{firing}<span class="visually-hidden"> firing alerts</span></span>}
        {unusual !== null && unusual.unusual > 0 && <span class="pill is-unusual" title={`${unusual.unusual} of ${many(unusual.series, 'series', 'series')} are outside of their extremes of the last day, 3 days and week`}>{unusual.unusual} unusual</span>}
        <span class="card-state" title={why}>{health === 'alive' ? host : `${health}${tick !== null && health !== 'silent' ? ` · ${age(now() - tick)} ago` : ''}`}</span>
      </header>
      <div class="card-parts">{PARTS.map((part) => <Part key={part.figure} known={known} part={part} />)}</div>
      {(Object.keys(labels).length > 0 || wrong.length > 0 || reason !== '') && (
        <footer>
          {reason !== '' && <span class="card-why">{reason}</span>}
          {Object.entries(labels).map(([name, value]) => <span key={name} class="tag">{name}={value}</span>)}
          {wrong.length > 0 && <span class="warn card-wrong" title={wrong.join('\n')}><Icon name="warn" size={12} /> {wrong[0]}</span>}
        </footer>
      )}
    </article>
  );
}
