// An opened run: what one should know of it, what it lost in words, and its ranges of sequences.
import { useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { clock, count, many } from '../lib/format';
import { link } from '../lib/page';
import { useEffect } from '../ui/effect';
import { Failed, Skeleton } from '../ui/states';
import { keyOf, type Detail, type Restart, type Run } from './run';
import { lossWords, rangeWords, runWords } from './words';

const MOST_WORDS = 40;
const moment = (text: string | null) => (text === null ? '–' : clock(Date.parse(text) / 1000));

function useDetail(run: Run) {
  const [detail, setDetail] = useState<Detail | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    let over = false;
    ask<Detail>('/ledger/run', { agent: run.agent, incarnation: run.incarnation }).then((found) => {
      if (over) return;
      setDetail(found);
      setFault('');
    }, (error: Error) => { if (!over) setFault(error.message); });
    return () => { over = true; };
  }, [run]);
  return { detail, fault };
}

function Ranges({ detail }: { detail: Detail }) {
  return (
    <div class="scroll ranges" tabIndex={0} role="region" aria-label="Ranges of sequences"><table>
      <caption>Ranges of sequences</caption>
      <thead><tr><th scope="col">What</th><th scope="col" class="num">First</th><th scope="col" class="num">Last</th><th scope="col" class="num">Batches</th><th scope="col" class="num">Points</th><th scope="col">Stage</th><th scope="col">Reason</th><th scope="col">From</th><th scope="col">To</th></tr></thead>
      <tbody>
        {[...detail.ranges].reverse().map((one) => (
          <tr key={`${one.kind} ${one.first}`} data-kind={one.kind} data-first={one.first} data-last={one.last}>
            <td><span class={`part is-${one.kind}`}><i />{one.kind === 'unread' ? 'not read' : one.kind}</span></td>
            <td class="num">{count(one.first)}</td><td class="num">{count(one.last)}</td><td class="num">{count(one.batches)}</td><td class="num">{one.points === null ? '–' : count(one.points)}</td>
            <td>{one.stage || '–'}</td><td>{one.reason || '–'}</td><td>{one.since === null ? moment(one.first_time) : `missing since ${moment(one.since)}`}</td><td>{moment(one.last_time)}</td>
          </tr>
        ))}
      </tbody>
    </table></div>
  );
}

function Sentences({ detail, reason }: { detail: Detail; reason: string }) {
  const wanted = (one: { stage: string; reason: string; plugin?: string }) => reason === '' || !reason.includes('/') || keyOf(one) === reason;
  const losses = detail.losses.filter(wanted).sort((a, b) => (b.last_time ?? '').localeCompare(a.last_time ?? ''));
  const ranges = detail.ranges.filter((one) => one.kind !== 'stored' && (one.kind !== 'dropped' || wanted(one))).reverse();
  const all = [...ranges.map((one) => rangeWords(one, detail.run.agent)), ...losses.map((one) => lossWords(one, detail.run.agent))];
  if (all.length === 0) return <p class="dim">Nothing of this run is lost, late or unknown.</p>;
  return (
    <>
      <ul class="sentences">{all.slice(0, MOST_WORDS).map((text) => <li key={text}>{text}</li>)}</ul>
      {all.length > MOST_WORDS && <p class="dim">And {many(all.length - MOST_WORDS, 'older event')}.</p>}
    </>
  );
}

export function Details({ run, restart, reason }: { run: Run; restart: Restart; reason: string }) {
  const { detail, fault } = useDetail(run);
  return (
    <div class="run-details">
      <p class="links"><a href={link('agent', { agents: run.agent })}>charts</a> · <a href={link('messages', { agent: run.agent })}>messages</a> · <a href={link('plugins', { agent: run.agent })}>plugins</a> · <a href={link('ledger', { agent: run.agent })}>only this agent</a> · run {run.incarnation}{run.host !== '' && ` on ${run.host}`}</p>
      {runWords(run, restart).map((text) => <p key={text}>{text}</p>)}
      {fault !== '' && <Failed what="The ranges cannot be read" why={fault} />}
      {detail === null && fault === '' && <Skeleton shape="row" many={3} />}
      {detail !== null && <><h3>What was lost, and why</h3><Sentences detail={detail} reason={reason} /><h3>Ranges of sequences{detail.older > 0 && `, without the oldest ${count(detail.older)}`}</h3><Ranges detail={detail} /></>}
      {run.conflict_examples.length > 0 && <><h3>Records in conflict</h3><ul class="sentences">{run.conflict_examples.map((one) => <li key={one.offset}>Partition {one.partition}, offset {count(one.offset)}, {moment(one.time)}: {one.why}{one.first_offset === null ? '' : ` (offset ${count(one.first_offset)})`}.</li>)}</ul></>}
    </div>
  );
}
