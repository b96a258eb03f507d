// The fleet as cards, in groups.
import { useState } from 'preact/hooks';
import { count } from '../lib/format';
import type { FleetStore } from '../state/fleet';
import { HostCard } from './card';
import type { HomeChoice } from './choice';
import type { Known } from '../state/fleet_model';
import { groupsOf } from './totals';

const STEP = 120;  // cards that are shown at first, and more with each press of the button

export function Cards({ store, shown, choice, selected }: { store: FleetStore; shown: Known[]; choice: HomeChoice; selected: string }) {
  const [wanted, setWanted] = useState(STEP);
  const most = Math.max(wanted, shown.findIndex((one) => one.row.agent === selected) + 1);
  const card = ({ row: { agent } }: Known) => {
    const row = store.row(agent);
    return row !== undefined && <HostCard key={agent} known={row} now={() => store.now()} selected={agent === selected} />;
  };
  let left = most;
  const groups = groupsOf(shown, choice.group).map(([name, agents]) => {
    const some = agents.slice(0, left);
    left -= some.length;
    return { name, some, many: agents.length };
  });
  return (
    <div class="cards">
      {groups.filter((one) => one.some.length > 0).map(({ name, some, many }) => (
        <section key={name} aria-label={choice.group === '' ? 'Hosts' : name || `without ${choice.group}`}>
          {choice.group !== '' && <h2 class="group-title">{name === '' ? <span class="dim">without {choice.group}</span> : name}<span class="dim"> {many}</span></h2>}
          <div class="grid-cards">{some.map(card)}</div>
        </section>
      ))}
      {shown.length > most && <p class="more"><button onClick={() => setWanted(most + STEP)}>Show {count(Math.min(STEP, shown.length - most))} more</button> <span class="dim">{count(most)} of {count(shown.length)}; the table and the map show all</span></p>}
    </div>
  );
}
