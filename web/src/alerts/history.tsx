// Past alerts on a line of time.
import { useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { age, clock } from '../lib/format';
import { link } from '../lib/page';
import { alertOf, type Alert, type Open } from '../state/alert';
import { useEffect } from '../ui/effect';
import { Failed, Skeleton } from '../ui/states';
import { lanesOf } from './lanes';

const SPANS: [string, number][] = [['6 h', 21_600], ['24 h', 86_400], ['7 d', 604_800], ['30 d', 2_592_000]];
const MOST_LANES = 60;

export function History() {
  const [span, setSpan] = useState(86_400);
  const [found, setFound] = useState<Alert[] | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    let over = false;
    const load = () => ask<{ alerts: Open[] }>('/alerts/history', { from: (Date.now() / 1000 - span).toFixed(0), limit: 2000 }).then(({ alerts }) => {
      if (over) return;
      setFault('');
      setFound(alerts.map(alertOf));
    }, (error: Error) => { if (!over) setFault(error.message); });
    void load();
    const timer = window.setInterval(() => { if (!document.hidden) void load(); }, 15_000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [span]);
  const to = Date.now() / 1000;
  const from = to - span;
  const lanes = lanesOf(found ?? [], from, to);
  const at = (time: number) => ((time - from) / span) * 100;
  return (
    <section class="alert-history" aria-label="History">
      <div class="tools"><h2>History</h2><span class="grow" />
        <div class="segments" role="group" aria-label="Time">{SPANS.map(([label, seconds]) => <button key={label} aria-pressed={span === seconds} onClick={() => setSpan(seconds)}>{label}</button>)}</div>
      </div>
      {fault !== '' && <Failed what="The history of alerts cannot be read" why={fault} />}
      {found === null && fault === '' && <Skeleton shape="row" many={3} />}
      {found !== null && lanes.length === 0 && <p class="dim">No alert fired in this time.</p>}
      {lanes.length > 0 && (
        <div class="lanes">
          {lanes.slice(0, MOST_LANES).map((lane) => (
            <div key={`${lane.name} ${lane.agent}`} class="lane">
              <span class="lane-name"><strong>{lane.name}</strong> {lane.agent !== '' && <a href={link('agent', { agents: lane.agent, from: String(Math.round(lane.parts[0]!.from - 900)), to: String(Math.round(Math.min(lane.parts[0]!.to + 900, to))) })}>{lane.agent}</a>}</span>
              <span class="lane-line">
                {lane.parts.map((part) => {
                  const text = `${lane.name}, ${clock(part.from)} to ${part.open ? 'now' : clock(part.to)}, ${age(part.to - part.from)}`;
                  return <i key={part.from} role="img" aria-label={text} title={text} class={part.open ? 'is-open' : ''} style={{ left: `${at(part.from)}%`, width: `${at(part.to) - at(part.from)}%` }} />;
                })}
              </span>
              <span class="dim lane-many">{lane.parts.length}×</span>
            </div>
          ))}
          <div class="lane-axis dim"><span>{clock(from)}</span><span>now</span></div>
        </div>
      )}
    </section>
  );
}
