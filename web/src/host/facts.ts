// One line of facts for each agent.
import { AgentRow, ApiError, ask } from '../lib/api';
import { el } from '../lib/dom';
import { age } from '../lib/format';
import { humanValue } from '../lib/human';
import { link } from '../lib/page';

const FIGURES = ['CPU', 'Memory', 'Disk read', 'Disk write', 'Net in', 'Net out'];
const MOST = 6;

function figure(v: number | null, i: number): HTMLElement | null {
  if (v === null) return null;
  const [unit, name] = i < 2 ? ['1', 'utilization'] : ['By/s', ''];
  return el('span', { class: 'figure', 'data-figure': FIGURES[i]!, 'data-value': v }, `${FIGURES[i]} `, el('b', {}, humanValue(unit!, name!, v)));
}

// Other pages about an agent.
export function linksOf(agent: string): HTMLElement {
  return el('span', { class: 'links' }, el('a', { href: link('config', { agent }) }, 'configuration'), ' · ',
    el('a', { href: link('messages', { agent }) }, 'messages'), ' · ', el('a', { href: link('ledger', { agent }) }, 'ledger'));
}

async function fact(name: string): Promise<HTMLElement> {
  let row: AgentRow;
  try {
    row = await ask<AgentRow>(`/agents/${encodeURIComponent(name)}`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return el('div', { class: 'fact', 'data-agent': name }, el('b', {}, name), el('span', { class: 'warn' }, error.message));
  }
  return el('div', { class: `fact is-${row.health}`, 'data-agent': row.agent },
    el('span', { class: 'state', title: row.why }, el('i', { class: 'dot' }), row.health),
    el('b', {}, row.agent), el('span', { class: 'dim' }, row.host), el('span', { class: 'dim' }, `v${row.version}`),
    el('span', { class: 'dim' }, `revision ${row.revision}`),
    row.interval !== null && el('span', { class: 'dim' }, `every ${age(row.interval)}`),
    row.clock_error !== 0 && el('span', { class: 'warn' }, `clock ${age(Math.abs(row.clock_error))} ${row.clock_error > 0 ? 'ahead' : 'behind'}: shown at the log's time`),
    row.other_host !== '' && el('span', { class: 'warn' }, `another host, ${row.other_host}, uses this id`),
    row.why !== '' && el('span', { class: row.health === 'stopped' ? 'dim' : 'warn' }, row.why),
    ...row.problems.map((one) => el('span', { class: 'warn' }, one)),
    ...row.figures.map(figure), linksOf(row.agent));
}

// Facts of the first few agents. An unknown agent is shown as unknown. Rejects if the server cannot be reached.
export function factsOf(agents: string[]): Promise<HTMLElement[]> {
  return Promise.all(agents.slice(0, MOST).map(fact));
}
