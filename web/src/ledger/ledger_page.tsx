// Ledger: what became of everything that agents made.
import { useState, useLayoutEffect, useRef } from 'preact/hooks';
import { count, many } from '../lib/format';
import { go } from '../lib/page';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { Icon } from '../ui/icon';
import { Empty, Failed, Loading, Skeleton } from '../ui/states';
import { choiceOf, parametersOf, type LedgerChoice } from './choice';
import { ColumnMenu } from './column_menu';
import { columnsOf, sorted } from './columns';
import { Equation } from './equation';
import { titleOf } from './flow';
import { FlowPicture } from './flow_picture';
import { hasReason, PART_WORDS, reasonsOf, totalsOf, unplacedOf, type Ledger, type Reason, type Unit } from './run';
import { useLedger } from './store';
import { RunTable } from './table';
import { reasonWords } from './words';

const KEPT = 'monitor-ledger-columns';

function useColumns(): [string[], (keys: string[]) => void] {
  const [columns, setColumns] = useState(() => {
    try {
      return columnsOf(localStorage.getItem(KEPT));
    } catch {
      return columnsOf(null);  // storage may be forbidden
    }
  });
  return [columns, (keys) => {
    setColumns(keys);
    try {
      localStorage.setItem(KEPT, keys.join(','));
    } catch {
      // The choice then lasts until the page is left.
    }
  }];
}

function Units({ unit, change }: { unit: Unit; change: (unit: Unit) => void }) {
  return (
    <div class="segments" role="group" aria-label="Unit">
      {(['points', 'batches'] as const).map((one) => <button key={one} aria-pressed={unit === one} title={one === 'points' ? 'Values of series; plugins drop these' : 'What the spool keeps and the log stores, with a sequence each'} onClick={() => change(one)}>{one === 'points' ? 'Points' : 'Batches'}</button>)}
    </div>
  );
}

// What is filtered for, in words.
function Chosen({ choice, reasons, clear }: { choice: LedgerChoice; reasons: Reason[]; clear: () => void }) {
  const reason = reasons.find((one) => one.key === choice.reason);
  const title = reason !== undefined ? titleOf(reason) : PART_WORDS[choice.reason as keyof typeof PART_WORDS] ?? choice.reason;
  return (
    <div class="chosen-reason" role="status">
      <span class="chip">{title}<button aria-label={`Show all runs, not only ${title}`} onClick={clear}><Icon name="close" size={11} /></button></span>
      {reason !== undefined && <span>{reasonWords(reason)}</span>}
    </div>
  );
}

function Honest({ ledger }: { ledger: Ledger }) {
  const copies = ledger.incarnations.reduce((sum, run) => sum + run.duplicates, 0);
  const unplaced = unplacedOf(ledger.incarnations);
  const facts = [
    unplaced > 0 && `${many(unplaced, 'more batch was', 'more batches were')} dropped of which nobody knows which ones, as after damage to a spool; they are in no sum`,
    copies > 0 && `${many(copies, 'repeated batch counts', 'repeated batches count')} once`,
    ledger.skipped > 0 && `${many(ledger.skipped, 'record')} could not be decoded and ${ledger.skipped === 1 ? 'is' : 'are'} in no sum`,
    ledger.lost > 0 && `${many(ledger.lost, 'record')} ${ledger.lost === 1 ? 'was' : 'were'} deleted by retention before being read`,
  ].filter((one): one is string => one !== false);
  if (facts.length === 0) return null;
  return <p class="dim">{facts.join('; ')}.</p>;
}

function View({ ledger, choice, change }: { ledger: Ledger; choice: LedgerChoice; change: (next: Partial<LedgerChoice>) => void }) {
  const [columns, setColumns] = useColumns();
  const all = ledger.incarnations;
  const reasons = reasonsOf(all);
  const totals = totalsOf(all, choice.unit);
  const runs = sorted(choice.reason === '' ? all : all.filter((run) => hasReason(run, choice.reason)), choice, choice.unit);
  return (
    <>
      <div class="flow-card">
        <Equation totals={totals} unit={choice.unit} estimated={all.some((run) => run.sums.estimated)} />
        <FlowPicture totals={totals} reasons={reasons} unit={choice.unit} chosen={choice.reason} choose={(reason) => change({ reason })} />
        {choice.unit === 'batches' && reasons.some((one) => one.batches === 0) && <p class="dim">What is dropped before it is in a batch, such as by plugins, is counted in points only.</p>}
      </div>
      {choice.reason !== '' && <Chosen choice={choice} reasons={reasons} clear={() => change({ reason: '' })} />}
      <div class="tools"><p class="dim">{many(runs.length, 'run')}{runs.length < all.length && ` of ${count(all.length)}`}</p><span class="grow" /><ColumnMenu chosen={columns} choose={setColumns} /></div>
      <RunTable runs={runs} all={all} totals={totalsOf(runs, choice.unit)} columns={columns} choice={choice} change={change} />
      <Honest ledger={ledger} />
    </>
  );
}

export default function LedgerPage({ parameters }: PageProps) {
  const [choice, setChoice] = useState(() => choiceOf(parameters));
  useNewParameters(parameters, (next) => setChoice(choiceOf(next)));
  const { ledger, fault, load } = useLedger(choice.agent);
  const field = useRef<HTMLInputElement>(null);
  const change = (next: Partial<LedgerChoice>) => {
    const wanted = { ...choice, ...next };
    go('ledger', parametersOf(wanted), 'replace');
    setChoice(wanted);
  };
  useLayoutEffect(() => setActions({
    key(pressed) {
      if (pressed.key === '/') field.current?.focus();
      else if (pressed.key === 'Escape' && choice.run !== '') change({ run: '' });
      else return false;
      return true;
    },
  }));
  return (
    <section class="ledger">
      <h1>Ledger</h1>
      <div class="tools">
        <input ref={field} type="search" placeholder="Agents, e.g. web-*  /" aria-label="Agents" value={choice.agent} onInput={(event) => change({ agent: event.currentTarget.value })} />
        <Units unit={choice.unit} change={(unit) => change({ unit })} />
      </div>
      {fault !== '' && <Failed what="The ledger cannot be read" why={fault} retry={load} />}
      {ledger === null && fault === '' && <Loading what="the ledger"><Skeleton shape="chart" /><Skeleton shape="row" many={5} /></Loading>}
      {ledger !== null && ledger.incarnations.length === 0 && <Empty icon="ledger" title={choice.agent === '' ? 'Nothing is in the log yet' : 'No run matches'}><p>{choice.agent === '' ? 'The ledger accounts for every batch from an agent\'s first one on.' : 'Agents are given by id or by a pattern such as web-*.'}</p></Empty>}
      {ledger !== null && ledger.incarnations.length > 0 && <View ledger={ledger} choice={choice} change={change} />}
    </section>
  );
}
