// The top processes of one host as a table, and how many there are in each state.
import { count, many } from '../lib/format';
import { humanValue } from '../lib/human';
import { Command } from '../ui/states';
import type { HostModel } from './model';
import { COLUMNS, processRows, sorted, switchOn, totalsOf, type Order, type ProcessRow } from './processes';

function Head({ order, sort }: { order: Order; sort: (next: Order) => void }) {
  return (
    <thead><tr>
      {COLUMNS.map(({ key, head, text }) => (
        <th key={key} scope="col" class={text ? '' : 'num'} aria-sort={key !== order.column ? 'none' : order.down ? 'descending' : 'ascending'}>
          <button class="sort" onClick={() => sort({ column: key, down: key === order.column ? !order.down : !text && key !== 'pid' })}>{head}</button>
        </th>
      ))}
    </tr></thead>
  );
}

function Row({ row }: { row: ProcessRow }) {
  return (
    <tr data-pid={row.pid}>
      {COLUMNS.map(({ key, text, unit, name }) => {
        const value = row[key];
        return <td key={key} class={text ? '' : 'num'} data-column={key}>{typeof value === 'string' ? value : humanValue(unit, name, value)}</td>;
      })}
    </tr>
  );
}

export function Processes({ model }: { model: HostModel }) {
  void model.panels.version.value;
  void model.second.value;
  const [agent, ...others] = model.agents.value;
  if (agent === undefined || others.length > 0) return null;
  const panels = model.panels.shown.value;
  const { states, created } = totalsOf(panels);
  const order = model.order.value;
  const rows = sorted(processRows(panels), order);
  if (rows.length === 0 && states.length === 0 && created === null) {
    return <div class="processes-off"><p class="dim">{agent} does not collect processes. To switch them on, add <code>processes</code> to its metrics:</p><Command text={switchOn(agent)} /></div>;
  }
  const all = states.reduce((sum, [, number]) => sum + number, 0);
  return (
    <>
      <p class="process-totals">
        {states.length > 0 && <strong>{many(all, 'process', 'processes')}</strong>}
        {states.map(([state, number]) => <span key={state} data-state={state} data-value={number}><b>{count(number)}</b> {state}</span>)}
        {created !== null && <span><b>{count(created)}</b> created per second</span>}
        {states.length === 0 && <span>{agent} cannot see all processes, so they are not counted; docs/install.md says how to let it.</span>}
      </p>
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Top processes">
          <table class="processes">
            <caption>Top processes by CPU, memory and disk throughput. CPU is the share of all processors.</caption>
            <Head order={order} sort={(next) => model.sort(next)} />
            <tbody>{rows.map((row) => <Row key={`${row.pid} ${row.command}`} row={row} />)}</tbody>
          </table>
        </div>
      )}
    </>
  );
}
