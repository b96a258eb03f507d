// The hosts that run a plugin.
import { useState } from 'preact/hooks';
import { clock, count, took } from '../lib/format';
import { humanValue } from '../lib/human';
import { link } from '../lib/page';
import type { Instance } from './fleet_plugins';

const MOST = 500;

// `rare`: shown only if any host has more than 0.
interface Column { head: string; numeric: boolean; of: (one: Instance) => string | number; text?: (one: Instance) => string; rare?: true }
const COLUMNS: Column[] = [
  { head: 'Agent', numeric: false, of: (one) => one.agent },
  { head: 'State', numeric: false, of: (one) => one.state },
  { head: 'Version', numeric: false, of: (one) => one.version },
  { head: 'Place', numeric: true, of: (one) => one.place, text: (one) => `${one.place} of ${one.chain.length}` },
  { head: 'p50', numeric: true, of: (one) => one.p50, text: (one) => took(one.p50) },
  { head: 'p99', numeric: true, of: (one) => one.p99, text: (one) => took(one.p99) },
  { head: 'Ticks', numeric: true, of: (one) => one.ticks },
  { head: 'Changed', numeric: true, of: (one) => one.changed, rare: true },
  { head: 'Dropped', numeric: true, of: (one) => one.points },
  { head: 'Failed', numeric: true, of: (one) => one.failed },
  { head: 'Skipped', numeric: true, of: (one) => one.skipped, rare: true },
  { head: 'Restarts', numeric: true, of: (one) => one.restarts, rare: true },
  { head: 'Memory', numeric: true, of: (one) => one.memory, rare: true, text: (one) => (one.memory > 0 ? humanValue('By', '', one.memory) : '–') },
  { head: 'Last failure', numeric: false, of: (one) => one.errorAt ?? 0, text: (one) => (one.error === '' ? '–' : `${one.errorAt === null ? '' : `${clock(one.errorAt)}: `}${one.error}`) },
];

function cell(one: Instance, column: Column) {
  if (column.head === 'Agent') return <a href={link('agent', { agents: one.agent })}>{one.agent}</a>;
  if (column.head === 'State') return <span class={`pill of-${one.state}`}>{one.state}</span>;
  if (column.head === 'Place') return <span title={one.chain.join(' → ')}>{column.text!(one)}</span>;
  const value = column.of(one);
  return column.text !== undefined ? column.text(one) : typeof value === 'number' ? count(value) : value;
}

export function HostTable({ instances, filter }: { instances: Instance[]; filter: string }) {
  const [order, setOrder] = useState({ head: 'Agent', down: false });
  const column = COLUMNS.find((one) => one.head === order.head)!;
  const columns = COLUMNS.filter((one) => one.rare !== true || instances.some((own) => Number(one.of(own)) > 0));
  const word = filter.trim().toLowerCase();
  const own = instances.filter((one) => one.agent.toLowerCase().includes(word));
  const rows = [...(own.length > 0 ? own : instances)].sort((a, b) => {
    const [x, y] = [column.of(a), column.of(b)];
    return (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true })) * (order.down ? -1 : 1);
  });
  return (
    <>
      <div class="scroll plugin-hosts" tabIndex={0} role="region" aria-label="Hosts"><table>
        <caption>Hosts</caption>
        <thead><tr>{columns.map((one) => <th key={one.head} scope="col" class={one.numeric ? 'num' : ''} aria-sort={one.head === order.head ? (order.down ? 'descending' : 'ascending') : 'none'}><button class="sort" onClick={() => setOrder({ head: one.head, down: one.head === order.head ? !order.down : one.numeric })}>{one.head}</button></th>)}</tr></thead>
        <tbody>{rows.slice(0, MOST).map((one) => <tr key={one.agent} data-agent={one.agent}>{columns.map((own) => <td key={own.head} class={own.numeric ? 'num' : ''}>{cell(one, own)}</td>)}</tr>)}</tbody>
      </table></div>
      {rows.length > MOST && <p class="dim">{count(MOST)} of {count(rows.length)} hosts; filter by agent to see others.</p>}
    </>
  );
}
