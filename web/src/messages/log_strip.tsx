// The log in one line: how much it holds, how fast it grows, and how far its readers are behind.
import { age, clock, count } from '../lib/format';
import { humanValue } from '../lib/human';
import type { Log } from './api';
import { readersOf, totalsOf } from './log_store';

function Fact({ title, text, note }: { title: string; text: string; note?: string }) {
  return <div class="log-fact"><dt>{title}</dt><dd title={note}>{text}</dd></div>;
}

export function LogStrip({ log, growth }: { log: Log; growth: number | null }) {
  const totals = totalsOf(log);
  const readers = readersOf(log);
  const lag = Math.max(0, ...readers.map((one) => one.lag));
  const now = Date.now() / 1000;
  return (
    <dl class="log-strip" aria-label="The log">
      <Fact title="Messages" text={count(totals.records)} />
      <Fact title="Partitions" text={count(log.partitions.length)} />
      <Fact title="Size" text={totals.bytes === null ? '–' : `${totals.exact ? '' : '≈ '}${humanValue('By', '', totals.bytes)}`}
        note={totals.exact ? 'On disk, without free pages' : 'Estimated from the messages read since the page’s server started, before compression'} />
      <Fact title="Messages/s" text={growth === null ? '–' : humanValue('', '', Math.round(growth * 10) / 10)} />
      <Fact title="Oldest" text={totals.oldest === null ? '–' : `${age(now - totals.oldest)} ago`} note={clock(totals.oldest, true)} />
      <Fact title="Newest" text={totals.newest === null ? '–' : clock(totals.newest)} />
      <Fact title="Largest lag" text={count(lag)} note="Of all consumer groups and this page’s own reader" />
      <div class="log-fact is-address"><dt>Log</dt><dd><code>{log.log}</code></dd></div>
    </dl>
  );
}
