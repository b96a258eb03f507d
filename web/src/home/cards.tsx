// The fleet as cards, in groups.
import type { FleetStore } from '../state/fleet';
import { HostCard } from './card';
import type { HomeChoice } from './choice';
import type { Known } from '../state/fleet_model';
import { groupsOf } from './totals';

export function Cards({ store, shown, choice, selected }: { store: FleetStore; shown: Known[]; choice: HomeChoice; selected: string }) {
  const card = ({ row: { agent } }: Known) => {
    const row = store.row(agent);
    return row !== undefined && <HostCard key={agent} known={row} now={() => store.now()} selected={agent === selected} />;
  };
  return (
    <div class="cards">
      {groupsOf(shown, choice.group).map(([name, agents]) => (
        <section key={name} aria-label={choice.group === '' ? 'Hosts' : name || `without ${choice.group}`}>
          {choice.group !== '' && <h2 class="group-title">{name === '' ? <span class="dim">without {choice.group}</span> : name}<span class="dim"> {agents.length}</span></h2>}
          <div class="grid-cards">{agents.map(card)}</div>
        </section>
      ))}
    </div>
  );
}
