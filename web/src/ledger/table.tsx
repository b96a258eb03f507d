// The table of runs. Its first columns stay in sight; a row opens to its details.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { count } from '../lib/format';
import { Icon } from '../ui/icon';
import type { LedgerChoice } from './choice';
import { COLUMNS, FROZEN, type Column } from './columns';
import { Details } from './details';
import { restartsOf, type Part, type Run, type Totals } from './run';

const STEP = 300;  // rows that are written at once

interface Props { runs: Run[]; all: Run[]; totals: Totals; columns: string[]; choice: LedgerChoice; change: (next: Partial<LedgerChoice>) => void }

function Head({ column, choice, change }: { column: Column } & Pick<Props, 'choice' | 'change'>) {
  const mine = choice.key === column.key;
  const frozen = FROZEN.includes(column);
  return (
    <th scope="col" title={column.explain} class={`${column.numeric ? 'num' : ''}${frozen ? ` frozen of-${column.key}` : ''}`} aria-sort={mine ? (choice.down ? 'descending' : 'ascending') : 'none'}>
      <button class="sort" onClick={() => change({ key: column.key, down: mine ? !choice.down : column.numeric })}>{column.head}</button>
    </th>
  );
}

function cellClass(run: Run, key: string): string {
  if ((key === 'missing' && run.sums.missing.batches > 0) || (key === 'conflicts' && run.conflicts > 0)) return 'num warn';
  return COLUMNS.find((one) => one.key === key)!.numeric ? 'num' : '';
}

function Row({ run, restart, shown, choice, change }: { run: Run; restart: { number: number; of: number }; shown: Column[] } & Pick<Props, 'choice' | 'change'>) {
  const open = choice.run === run.incarnation;
  const toggle = () => change({ run: open ? '' : run.incarnation });
  return (
    <Fragment>
      <tr data-agent={run.agent} data-run={run.incarnation} class={open ? 'is-open' : ''} onClick={(event) => { if (!(event.target as Element).closest('a, button')) toggle(); }}>
        <th scope="row" class="frozen of-agent"><button class="plain" aria-expanded={open} onClick={toggle}><Icon name={open ? 'minus' : 'plus'} size={12} /><span>{run.agent}</span></button>{restart.of > 1 && <span class="tag" title={`run ${restart.number} of ${restart.of}`}>{restart.number}/{restart.of}</span>}</th>
        <td class="frozen of-state"><span class={`end is-${run.end}`}><i class="dot" />{FROZEN[1]!.text(run, choice.unit)}</span>{(run.conflict || run.outlived_end || run.conflicts > 0) && <span class="warn" title="in conflict with other records or runs"> <Icon name="warn" size={12} /><span class="visually-hidden">in conflict</span></span>}</td>
        {shown.map((one) => <td key={one.key} class={cellClass(run, one.key)} data-column={one.key} data-head={one.head}>{one.text(run, choice.unit)}</td>)}
      </tr>
      {open && <tr class="opened"><td colSpan={2 + shown.length}><Details run={run} restart={restart} reason={choice.reason} /></td></tr>}
    </Fragment>
  );
}

export function RunTable({ runs, all, totals, columns, choice, change }: Props) {
  const [most, setMost] = useState(STEP);
  const shown = COLUMNS.filter((one) => columns.includes(one.key));
  const restarts = restartsOf(all);
  const sum = (key: string) => (key in totals ? count(totals[key as Part]) : '');
  const cut = runs.findIndex((one) => one.incarnation === choice.run) >= most ? runs.length : most;
  return (
    <>
      <div class="scroll ledger-table" tabIndex={0} role="region" aria-label="Runs of agents"><table>
        <caption>Runs of agents</caption>
        <thead><tr>{[...FROZEN, ...shown].map((one) => <Head key={one.key} column={one} choice={choice} change={change} />)}</tr></thead>
        <tbody>{runs.slice(0, cut).map((run) => <Row key={run.incarnation + run.agent} run={run} restart={restarts.get(run.incarnation)!} shown={shown} choice={choice} change={change} />)}</tbody>
        {runs.length > 1 && <tfoot><tr><th scope="row" class="frozen of-agent">Sum</th><td class="frozen of-state" />{shown.map((one) => <td key={one.key} class={one.numeric ? 'num' : ''}>{sum(one.key)}</td>)}</tr></tfoot>}
      </table></div>
      {runs.length > cut && <p><button onClick={() => setMost(most + STEP)}>Show {count(Math.min(STEP, runs.length - cut))} more of {count(runs.length - cut)}</button></p>}
    </>
  );
}

