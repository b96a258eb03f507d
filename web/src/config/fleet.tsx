// While no document is open: the overrides in force, and which revision each agent runs.
import { useState } from 'preact/hooks';
import { age, many } from '../lib/format';
import { Empty } from '../ui/states';
import { left } from './countdown';
import { keyOf, nameOf } from './layers';
import type { ConfigModel } from './model';
import { Rollouts } from './rollouts_view';

const MOST = 200;
const ORDER = ['failed', 'pending', 'applied', 'stopped', 'gone'];

function Overrides({ model }: { model: ConfigModel }) {
  const some = (model.overview.value?.documents ?? []).filter((one) => one.kind === 'override');
  if (some.length === 0) return null;
  return (
    <section aria-label="Overrides">
      <h2>Overrides</h2>
      <ul class="overrides">{some.map((one) => (
        <li key={one.key}><button class="plain" title={one.key} onClick={() => void model.open(one.key)}>{nameOf(one.key)}</button> <span class="countdown">{left(one.expires, model.clock.value)}</span></li>
      ))}</ul>
    </section>
  );
}

export function Fleet({ model }: { model: ConfigModel }) {
  const [filter, setFilter] = useState('');
  const found = model.overview.value;
  if (found === null) return null;
  const rows = found.agents.filter((one) => `${one.agent} ${one.state} ${(one.groups ?? []).join(' ')}`.toLowerCase().includes(filter.trim().toLowerCase()))
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.agent.localeCompare(b.agent, 'en', { numeric: true }));
  const counts = ORDER.map((state): [string, number] => [state, found.agents.filter((one) => one.state === state).length]).filter(([, n]) => n > 0);
  const now = model.clock.value / 1000;
  return (
    <>
      <Empty icon="config" title="Choose a document"><p class="dim">An agent merges the defaults, its groups’ documents, its own and the overrides, each on top of the one before.</p></Empty>
      <Rollouts model={model} />
      <Overrides model={model} />
      <section aria-label="Agents">
        <h2>Agents</h2>
        <div class="tools">{counts.map(([state, n]) => <span key={state} class={`state is-${state}`}>{n} {state}</span>)}<span class="grow" />
          {found.agents.length > 12 && <input type="search" placeholder="Agent, state or group" aria-label="Filter agents" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />}</div>
        <div class="scroll" tabIndex={0} role="region" aria-label="Applied configurations"><table>
          <caption>Applied configurations</caption>
          <thead><tr><th scope="col">Agent</th><th scope="col">State</th><th scope="col" class="num">Applied</th><th scope="col" class="num">Wanted</th><th scope="col">Groups</th><th scope="col">Overrides</th><th scope="col" class="num">Seen</th><th scope="col">Error, warning</th></tr></thead>
          <tbody>{rows.slice(0, MOST).map((row) => (
            <tr key={row.agent}>
              <td><button class="plain" onClick={() => void model.open(keyOf(row.agent))}>{row.agent}</button></td><td><span class={`state is-${row.state}`}>{row.state}</span></td>
              <td class="num">{row.applied}</td><td class="num">{row.wanted}</td><td>{(row.groups ?? []).join(', ')}</td><td>{(row.overrides ?? []).join(', ')}</td>
              <td class="num">{row.seen === 0 ? '–' : age(now - row.seen)}</td><td class="error">{[row.error, row.warning].filter((text) => text).join('; ')}</td>
            </tr>
          ))}</tbody>
        </table></div>
        {rows.length > MOST && <p class="dim">{many(rows.length - MOST, 'more agent')}: type to filter</p>}
      </section>
    </>
  );
}
