// The containers of one host as a table.
import { useState } from 'preact/hooks';
import { many } from '../lib/format';
import { humanValue } from '../lib/human';
import { CONTAINER_COLUMNS, containerRows, sortedContainers, type ContainerOrder, type ContainerRow } from './containers';
import type { HostModel } from './model';

function Head({ order, sort }: { order: ContainerOrder; sort: (next: ContainerOrder) => void }) {
  return (
    <thead><tr>
      {CONTAINER_COLUMNS.map(({ key, head, text }) => (
        <th key={key} scope="col" class={text ? '' : 'num'} aria-sort={key !== order.column ? 'none' : order.down ? 'descending' : 'ascending'}>
          <button class="sort" onClick={() => sort({ column: key, down: key === order.column ? !order.down : !text })}>{head}</button>
        </th>
      ))}
    </tr></thead>
  );
}

function Row({ row }: { row: ContainerRow }) {
  return (
    <tr data-container={row.id} title={row.id}>
      {CONTAINER_COLUMNS.map(({ key, text, unit, name }) => {
        const value = row[key];
        return <td key={key} class={text ? '' : 'num'} data-column={key}>{typeof value === 'string' ? value : humanValue(unit, name, value)}</td>;
      })}
    </tr>
  );
}

export function Containers({ model }: { model: HostModel }) {
  void model.panels.version.value;
  void model.second.value;
  const [order, sort] = useState<ContainerOrder>({ column: 'cpu', down: true });
  if (model.agents.value.length !== 1) return null;
  const rows = sortedContainers(containerRows(model.panels.shown.value), order);
  if (rows.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Containers">
      <table class="processes containers">
        <caption>{many(rows.length, 'container')}. CPUs is the number of processors that a container kept busy; memory is its working set.</caption>
        <Head order={order} sort={sort} />
        <tbody>{rows.map((row) => <Row key={row.id} row={row} />)}</tbody>
      </table>
    </div>
  );
}
