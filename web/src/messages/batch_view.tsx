// A decoded batch: whose it is, and the values of its ticks.
import { useMemo, useState } from 'preact/hooks';
import { clock, count } from '../lib/format';
import { duration } from '../lib/human';
import type { Batch } from './api';
import { filtered, shownValue, valuesOf } from './values';

const MOST = 300;  // rows that are shown at once
const SEARCHED = 12;

const NANOS = 1e9;

function factsOf(batch: Batch): [string, string][] {
  return [
    ['Agent', batch.agent], ['Host', batch.host], ['Sequence', count(batch.sequence)], ['Incarnation', batch.incarnation],
    ['Created', clock(Date.parse(batch.appended) / 1000, true)], ['Sent every', duration(batch.send_every_ns / NANOS)],
    ['Configuration', `revision ${batch.config_revision}`], ['Agent version', batch.agent_version],
    ['Oldest unacknowledged', count(batch.first_unacked)], ...(batch.final === true ? [['Final', 'the agent has stopped in order'] as [string, string]] : []),
  ];
}

function ValueTable({ batch, text }: { batch: Batch; text: string }) {
  const values = useMemo(() => valuesOf(batch), [batch]);
  const rows = filtered(values.rows, text);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Values"><table class="values">
        <caption>Values</caption>
        <thead><tr><th scope="col">Series</th>{values.times.map((time, i) => <th key={i} scope="col" class="num" title={clock(time, true)}>{clock(time, true).slice(11)}</th>)}</tr></thead>
        <tbody>{rows.slice(0, MOST).map((row) => (
          <tr key={`${row.name} ${row.unit}`}><th scope="row">{row.name}{row.counter && <span class="tag">counter</span>}</th>
            {row.values.map((value, i) => <td key={i} class="num" data-value={value === undefined ? undefined : String(value)} title={value === undefined ? 'not in this tick' : `${value} ${row.unit}`}>{shownValue(row, value)}</td>)}</tr>
        ))}</tbody>
      </table></div>
      {rows.length > MOST && <p class="dim">{count(MOST)} of {count(rows.length)} series. Type a part of a name to see others.</p>}
      {rows.length === 0 && <p class="dim">{values.rows.length === 0 ? 'This batch has no values: it only tells that the agent lives.' : 'No series has this in its name.'}</p>}
    </>
  );
}

export function BatchView({ batch }: { batch: Batch }) {
  const [json, setJson] = useState(false);
  const [text, setText] = useState('');
  const series = useMemo(() => new Set(batch.frames.flatMap((frame) => frame.metrics.map((one) => one.name))).size, [batch]);
  return (
    <>
      <div class="tools">
        <div class="segments" role="group" aria-label="Form"><button aria-pressed={!json} onClick={() => setJson(false)}>Values</button><button aria-pressed={json} onClick={() => setJson(true)}>JSON</button></div>
        {!json && series > SEARCHED && <input type="search" value={text} placeholder="Filter series" aria-label="Filter series" onInput={(event) => setText(event.currentTarget.value)} />}
      </div>
      {json ? <pre class="batch-json" tabIndex={0}>{JSON.stringify(batch, null, 2)}</pre> : <ValueTable batch={batch} text={text} />}
      {!json && <dl class="headers batch-facts">{factsOf(batch).map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}</dl>}
    </>
  );
}
