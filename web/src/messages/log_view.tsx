// The partitions of the log, who reads it, and how far they were behind.
import { age, clock, count } from '../lib/format';
import { humanValue } from '../lib/human';
import { link } from '../lib/page';
import type { Log } from './api';
import { LagChart } from './lag_chart';
import { bytesOf, readersOf, type Reader } from './log_store';

function sizeOf(one: Log['partitions'][number]): string {
  const bytes = bytesOf(one);
  return bytes === null ? '–' : `${one.bytes === null ? '≈ ' : ''}${humanValue('By', '', bytes)}`;
}

function Partitions({ log }: { log: Log }) {
  return (
    <section aria-label="Partitions">
      <h2>Partitions</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Partitions"><table class="partitions">
        <caption>Partitions</caption>
        <thead><tr><th scope="col" class="num">Partition</th><th scope="col" class="num">First offset</th><th scope="col" class="num">Newest offset</th><th scope="col" class="num">Messages</th><th scope="col" class="num">Size</th><th scope="col">Oldest</th><th scope="col">Newest</th></tr></thead>
        <tbody>{log.partitions.map((one) => (
          <tr key={one.partition} data-partition={one.partition}>
            <td class="num"><a href={link('messages', { partition: String(one.partition) })}>{one.partition}</a></td>
            <td class="num">{one.records === 0 ? '–' : <a href={link('messages', { partition: String(one.partition), offset: String(one.begin) })}>{one.begin}</a>}</td>
            <td class="num">{one.records === 0 ? '–' : <a href={link('messages', { partition: String(one.partition), offset: String(one.end - 1) })}>{one.end - 1}</a>}</td>
            <td class="num">{count(one.records)}</td><td class="num">{sizeOf(one)}</td>
            <td>{clock(one.oldest, true)}</td><td>{clock(one.newest, true)}</td>
          </tr>
        ))}</tbody>
      </table></div>
      {log.partitions.some((one) => one.bytes === null) && <p class="dim">Sizes are estimated from the messages that the page’s server has read since it started, before compression: Kafka does not tell them to consumers.</p>}
    </section>
  );
}

function ReaderRow({ reader }: { reader: Reader }) {
  const worst = [...reader.partitions].sort((a, b) => b.lag - a.lag)[0];
  return (
    <tr data-reader={reader.name}>
      <td>{reader.name}{reader.own && <> <span class="tag">its reader</span></>}</td>
      <td class="num">{reader.partitions.length}</td>
      <td class="num">{reader.partitions.length === 0 ? '–' : count(reader.lag)}</td>
      <td>{worst === undefined || worst.lag === 0 ? '' : `partition ${worst.partition}: ${count(worst.lag)}`}</td>
      <td class="positions">{reader.partitions.map((one) => `${one.partition}: ${one.next}`).join('  ')}</td>
    </tr>
  );
}

function Readers({ log }: { log: Log }) {
  const readers = readersOf(log);
  return (
    <section aria-label="Readers">
      <h2>Consumer groups</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Consumer groups"><table class="readers">
        <caption>Consumer groups</caption>
        <thead><tr><th scope="col">Group</th><th scope="col" class="num">Partitions</th><th scope="col" class="num">Lag</th><th scope="col">Most behind</th><th scope="col">Next offset by partition</th></tr></thead>
        <tbody>{readers.map((one) => <ReaderRow key={`${one.own} ${one.name}`} reader={one} />)}</tbody>
      </table></div>
      {readers.length === 1 && log.groups_error === '' && <p class="dim">No consumer group has a position in this log. A group appears when <code>monitor-analysis get-metrics --group-id NAME</code> or another consumer stores one.</p>}
      {log.groups_error !== '' && <p class="warn">Consumer groups are unknown: {log.groups_error}</p>}
    </section>
  );
}

export function LogView({ log }: { log: Log }) {
  const newest = Math.max(0, ...log.partitions.map((one) => one.newest ?? 0));
  const quiet = newest > 0 ? Date.now() / 1000 - newest : 0;
  return (
    <>
      {quiet > 60 && <p class="warn">The newest message was stored {age(quiet)} ago.</p>}
      <Partitions log={log} />
      <Readers log={log} />
      <LagChart />
    </>
  );
}
