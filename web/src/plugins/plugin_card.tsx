// One plugin over the fleet; it opens to its hosts.
import { useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { age, clock, count, many, took } from '../lib/format';
import { humanValue } from '../lib/human';
import { link } from '../lib/page';
import { reasonsOf, type Ledger } from '../ledger/run';
import { titleOf } from '../ledger/flow';
import { reasonWords } from '../ledger/words';
import { useEffect } from '../ui/effect';
import { Icon } from '../ui/icon';
import { Spark } from '../ui/spark';
import type { Plugin } from './fleet_plugins';
import { HostTable } from './host_table';
import type { Past } from './past';

const MOST_FAILURES = 5;

function States({ states }: { states: Plugin['states'] }) {
  return <span class="plugin-states">{states.map(([state, n]) => <span key={state} class={`pill of-${state}`} data-state={state}>{states.length > 1 || n > 1 ? `${count(n)} ` : ''}{state}</span>)}</span>;
}

function Figure({ title, value, note, line, name }: { title: string; value: string; note: string; line?: (number | null)[] | undefined; name: string }) {
  const drawn = line !== undefined && line.filter((one) => one !== null).length > 1;
  return (
    <div class="plugin-figure" data-figure={name}>
      <span class="tile-label">{title}</span><b>{value}</b><span class="dim">{note}</span>
      {drawn && <Spark values={line} top={null} label={`${title}, the last hour`} />}
    </div>
  );
}

// What the ledger says that this plugin dropped, by reason.
function Drops({ name }: { name: string }) {
  const [ledger, setLedger] = useState<Ledger | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    let over = false;
    ask<Ledger>('/ledger').then((found) => { if (!over) setLedger(found); }, (error: Error) => { if (!over) setFault(error.message); });
    return () => { over = true; };
  }, [name]);
  const own = ledger === null ? [] : reasonsOf(ledger.incarnations).filter((one) => one.stage === 'plugin' && one.plugin === name.replace(/#\d+$/, ''));
  return (
    <>
      <h3>What it dropped</h3>
      {fault !== '' && <p class="warn">The ledger cannot be read: {fault}</p>}
      {ledger !== null && own.length === 0 && <p class="dim">The ledger has no points that it dropped.</p>}
      <ul class="sentences">{own.map((reason) => <li key={reason.key} data-reason={reason.key} data-points={reason.points}><a href={link('ledger', { reason: reason.key })}>{titleOf(reason)}</a>: {reasonWords(reason)}</li>)}</ul>
    </>
  );
}

function Failures({ plugin }: { plugin: Plugin }) {
  if (plugin.failures.length + plugin.refusals.length === 0) return null;
  return (
    <>
      <h3>Last failures</h3>
      <ul class="sentences">
        {plugin.refusals.slice(0, MOST_FAILURES).map((one) => <li key={`refused ${one.agent}`}><a href={link('agent', { agents: one.agent })}>{one.agent}</a>{one.host !== one.agent && one.host !== '' && ` (${one.host})`} refuses it: {one.reason}</li>)}
        {plugin.failures.slice(0, MOST_FAILURES).map((one) => <li key={one.agent} data-failure={one.agent}>{one.at !== null && <time title={`${age(Date.now() / 1000 - one.at)} ago`}>{clock(one.at)} </time>}<a href={link('agent', { agents: one.agent })}>{one.agent}</a>{one.host !== one.agent && one.host !== '' && ` (${one.host})`}: {one.reason}{one.failed > 0 && <span class="dim"> · {many(one.failed, 'failed tick')} since its start</span>}</li>)}
      </ul>
      {plugin.failures.length > MOST_FAILURES && <p class="dim">And {many(plugin.failures.length - MOST_FAILURES, 'more host')} below.</p>}
    </>
  );
}

const agents = (names: string[]) => (names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${count(names.length - 4)} more` : names.join(', '));

export function PluginCard({ plugin, past, open, toggle, filter }: { plugin: Plugin; past: Past; open: boolean; toggle: () => void; filter: string }) {
  const { name, instances, versions } = plugin;
  const memory = instances.reduce((sum, one) => sum + one.memory, 0);
  return (
    <article class={`plugin-card${open ? ' is-open' : ''}`} data-plugin={name}>
      <header>
        <button class="plain" aria-expanded={open} onClick={toggle}><Icon name={open ? 'minus' : 'plus'} size={12} /><h2>{name}</h2></button>
        {plugin.kinds.map((one) => <span key={one} class="tag">{one}</span>)}
        <States states={plugin.states} />
        <span class="grow" />
        <span class="dim">{instances.length === 0 ? 'in no chain' : `${many(instances.length, 'host')} · place ${plugin.places} in the chain`}</span>
      </header>
      <div class="plugin-figures">
        <Figure name="p50" title="Time of a tick, p50" value={plugin.p50 === null ? '–' : took(plugin.p50)} note={plugin.p50 === null ? '' : 'median of the hosts'} />
        <Figure name="p99" title="Time of a tick, p99" value={plugin.p99 === null ? '–' : took(plugin.p99)} note={plugin.slowest === '' ? '' : `slowest: ${plugin.slowest}`} line={past.p99.get(name)} />
        <Figure name="drops" title={plugin.states.every(([state]) => state === 'shadow') ? 'Points it would drop' : 'Points dropped'} value={count(plugin.points)} note={`${many(plugin.ticks, 'whole tick')}, as last reported`} line={past.drops.get(name)} />
        <Figure name="failed" title="Failed ticks" value={count(plugin.failed)} note={plugin.failures[0]?.at === undefined || plugin.failures[0].at === null ? 'since the agents\' start' : `last ${age(Date.now() / 1000 - plugin.failures[0].at)} ago`} />
        <Figure name="versions" title="Versions" value={versions.length === 0 ? '–' : versions.length === 1 ? versions[0]![0] : count(versions.length)} note={versions.length > 1 ? versions.map(([version, own]) => `${version}: ${own.length}`).join(', ') : memory > 0 ? `${humanValue('By', '', memory)} in all` : ''} />
      </div>
      {open && (
        <div class="plugin-details">
          {versions.length > 1 && <><h3>Versions</h3><ul class="sentences">{versions.map(([version, own]) => <li key={version}><b>{version}</b> on {agents(own)}</li>)}</ul></>}
          <Failures plugin={plugin} />
          <Drops name={name} />
          {instances.length > 0 && <><h3>Hosts</h3><HostTable instances={instances} filter={filter} /></>}
        </div>
      )}
    </article>
  );
}
