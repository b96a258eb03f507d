// The times in which alerts would have been pending and firing: a lane for each set of labels, below the chart of what the
// rule looks at. Lanes and chart have the same axis.
import { age, clock } from '../lib/format';
import { link } from '../lib/page';
import { unknownShare, type Lane } from './replay';
import type { Replay } from './rule_api';

const MOST_LANES = 40;

export function Timeline({ replay, lanes }: { replay: Replay; lanes: Lane[] }) {
  const { from, to } = replay;
  const at = (time: number) => ((time - from) / (to - from)) * 100;
  const unknown = unknownShare(replay) * 100;
  return (
    <div class="test-lanes">
      <p class="lane-legend dim"><i class="is-pending" />pending <i class="is-firing" />firing{unknown > 0 && <><i class="is-unknown" />before the history begins</>}</p>
      {lanes.slice(0, MOST_LANES).map((lane) => (
        <div key={JSON.stringify(lane.labels)} class="test-lane">
          <span class="lane-name">{lane.agent === '' ? lane.name : <a href={link('agent', { agents: lane.agent, from: from.toFixed(0), to: to.toFixed(0) })}>{lane.name}</a>} <span class="dim">{lane.fired === 0 ? 'never fires' : `fires ${lane.fired}×, ${age(lane.seconds)}`}</span></span>
          <span class="lane-line">
            {unknown > 0 && <b class="is-unknown" style={{ width: `${unknown}%` }} />}
            {lane.parts.map((part) => {
              const text = `${lane.name} ${part.state} ${clock(part.from)} to ${part.open ? 'the end' : clock(part.to)}, ${age(part.to - part.from)}`;
              return <i key={`${part.state} ${part.from}`} role="img" aria-label={text} data-tip={text} title={text} data-state={part.state} data-from={part.from} data-to={part.open ? '' : part.to} class={`is-${part.state}`} style={{ left: `${at(part.from)}%`, width: `${at(part.to) - at(part.from)}%` }} />;
            })}
          </span>
        </div>
      ))}
      {lanes.length > MOST_LANES && <p class="dim">{MOST_LANES} of {lanes.length} sets of labels: those that fire longest.</p>}
      <div class="lane-axis dim"><span>{clock(from)}</span><span>{clock(to)}</span></div>
    </div>
  );
}
