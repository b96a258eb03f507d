// The top of Home: totals of the fleet, and what changed in the last hour.
import { useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { age } from '../lib/format';
import { link } from '../lib/page';
import { byteRate, share } from '../lib/shown';
import { alertOf, type Open } from '../state/alert';
import { alerts, firing } from '../state/alerts';
import type { FleetStore } from '../state/fleet';
import { rolloutEvents, type Rollouts } from '../state/rollout_events';
import { useEffect } from '../ui/effect';
import { Icon, type IconName } from '../ui/icon';
import { Spark } from '../ui/spark';
import { changesOf, rangeAround, revisionChanges, type Change, type Past, type Revisions } from './changes';
import { totalOf, type Figure, type Total } from './totals';

const TILES: { figure: Figure; title: string; mean: boolean; show: (v: number | null) => string }[] = [
  { figure: 'cpu', title: 'CPU, mean', mean: true, show: share },
  { figure: 'memory', title: 'Memory, mean', mean: true, show: share },
  { figure: 'disk', title: 'Disk, total', mean: false, show: (v) => byteRate(v) },
  { figure: 'network', title: 'Network, total', mean: false, show: (v) => byteRate(v, true) },
];
const ICONS: Record<Change['kind'], IconName> = { alert: 'alerts', resolved: 'check', gone: 'warn', config: 'config', rollout: 'rollout' };

// The total, and the host that has most of it.
function Tile({ figure, title, total, show, top }: { figure: Figure; title: string; total: Total; show: (v: number | null) => string; top: number | null }) {
  const { most } = total;
  return (
    <div class="tile" data-total={figure}>
      <span class="tile-line"><span class="tile-label">{title}</span>
        {most !== null && total.agents > 1 && <a class="tile-most" href={link('agent', { agents: most.agent })} title={`${most.agent} has the most, over the last minute`}><span class="visually-hidden">most: </span><span class="tile-name">{most.agent}</span> {show(most.lately)}</a>}
      </span>
      <b>{show(total.value)}</b>
      <Spark values={total.past} top={top} />
    </div>
  );
}

const MOST_AGENTS = 300;  // of a larger fleet, changes of configuration are not asked for

async function revisionsOf(agents: number): Promise<Past['revisions']> {
  if (agents > MOST_AGENTS) return [];
  const step = agents > 50 ? 120 : agents > 20 ? 15 : 5;
  const now = Math.floor(Date.now() / 1000 / step) * step;
  const query = new URLSearchParams({ query: 'config_revision()', start: String(now - 3600), end: String(now), step: String(step) });
  const response = await fetch(`/api/v1/query_range?${query}`, { cache: 'no-store' });
  return revisionChanges((await response.json()) as Revisions);
}

async function loadPast(agents: number): Promise<Past> {
  const [history, revisions, rollouts] = await Promise.all([
    ask<{ alerts: Open[] }>('/alerts/history', { from: '-1h', limit: 100 }).catch(() => ({ alerts: [] })),
    revisionsOf(agents).catch(() => []),
    ask<Rollouts>('/rollouts').then((found) => rolloutEvents(found.rollouts)).catch(() => []),
  ]);
  return { alerts: history.alerts.map(alertOf), revisions, rollouts };
}

function Changes({ store }: { store: FleetStore }) {
  const [past, setPast] = useState<Past>({ alerts: [], revisions: [] });
  useEffect(() => {
    let over = false;
    const load = () => { if (!document.hidden) void loadPast(store.model.agents.size).then((found) => { if (!over) setPast(found); }); };
    load();
    const timer = window.setInterval(load, 15_000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, []);
  void store.version.value;
  const now = store.now();
  const found = changesOf([...store.model.agents.values()].map((one) => one.row), alerts.value, past, now);
  return (
    <section class="changes" aria-label="Changes in the last hour">
      <h2>Last hour</h2>
      {found.length === 0 ? <p class="dim">No alerts, no host went away, no configuration changed, no rollout ran.</p> : (
        <ul>
          {found.map((one) => (
            <li key={`${one.kind} ${one.agent} ${one.at} ${one.what}`} class={`change is-${one.kind}`}>
              <Icon name={ICONS[one.kind]} size={13} />
              <span title={one.agent === '' ? one.what : undefined}>{one.agent !== '' && <><a href={link('agent', { agents: one.agent, ...rangeAround(one.at, now) })}>{one.agent}</a></>}{one.kind === 'rollout' ? <a href={link('config')}>{one.what}</a> : one.agent === '' ? one.what : one.what.startsWith(one.agent) ? one.what.slice(one.agent.length) : ` ${one.what}`}</span>
              <time>{age(now - one.at)} ago</time>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function Summary({ store }: { store: FleetStore }) {
  void store.version.value;
  const agents = [...store.model.agents.values()];
  const alive = agents.filter((one) => one.row.health === 'alive').length;
  const loud = firing.value.length;
  return (
    <div class="summary">
      <div class="tiles">
        <div class="tile"><span class="tile-label">Hosts</span><b>{alive === agents.length ? agents.length : `${alive} of ${agents.length}`}</b><span class="dim">{alive === agents.length ? 'all alive' : 'alive'}</span></div>
        <a class={`tile${loud > 0 ? ' is-loud' : ''}`} href={link('alerts')}><span class="tile-label">Alerts</span><b>{loud}</b><span class="dim">{loud === 0 ? 'none firing' : 'firing'}</span></a>
        {TILES.map((tile) => <Tile key={tile.figure} figure={tile.figure} title={tile.title} total={totalOf(agents, tile.figure, tile.mean)} show={tile.show} top={tile.mean ? 1 : null} />)}
      </div>
      <Changes store={store} />
    </div>
  );
}
