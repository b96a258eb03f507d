// How far the readers were behind, and how fast the log grew, as far back as the server remembers.
import { useRef, useState } from 'preact/hooks';
import { Chart } from '../host/chart';
import type { Line } from '../host/lines';
import { ask } from '../lib/api';
import { age } from '../lib/format';
import { isDark } from '../state/settings';
import { useEffect } from '../ui/effect';
import { Failed, Skeleton } from '../ui/states';
import type { Lag } from './api';
import { lagLines, rateLine } from './lag';

const SPANS: [string, number][] = [['15 min', 900], ['1 h', 3600], ['6 h', 21_600], ['24 h', 86_400]];
const EVERY = 10_000;  // milliseconds

function Plot({ title, unit, lines, from, to }: { title: string; unit: string; lines: Line[]; from: number; to: number }) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const dark = isDark();
  useEffect(() => {
    const made = new Chart(host.current!, { unit, metric: title, mode: 'lines' }, () => undefined, () => undefined);
    chart.current = made;
    const resized = new ResizeObserver(() => made.resize());
    resized.observe(host.current!);
    return () => {
      resized.disconnect();
      made.close();
    };
  }, []);
  useEffect(() => chart.current?.draw(lines, from, to, 0), [lines, from, to, dark]);
  return <figure class="panel" data-chart={title}><figcaption><strong>{title}</strong></figcaption><div ref={host} class="plot" /></figure>;
}

// How far back the answer reaches, in words.
function reach(lag: Lag, now: number): string {
  if (lag.since === null) return 'The first sample comes within 10 s.';
  return `Samples reach back ${age(now - lag.since)}. The page’s server keeps them in memory: an hour in steps of 10 s, a day in steps of 2 min with the largest lag of each. They begin when it starts.`;
}

// A chart of samples that began a moment ago shows at least five minutes.
const fromOf = (lag: Lag, span: number, now: number) => Math.max(now - span, Math.min(lag.since ?? now, now - 300));

export function LagChart() {
  const [span, setSpan] = useState(3600);
  const [found, setFound] = useState<{ lag: Lag; lags: Line[]; rate: Line; at: number } | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    let over = false;
    const load = () => ask<Lag>('/log/lag', { span: `${span}s` }).then((lag) => {
      if (over) return;
      setFault('');
      setFound({ lag, lags: lagLines(lag), rate: rateLine(lag), at: Date.now() / 1000 });
    }, (error: Error) => { if (!over) setFault(error.message); });
    void load();
    const timer = window.setInterval(() => { if (!document.hidden) void load(); }, EVERY);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [span]);
  return (
    <section aria-label="Lag over time">
      <div class="tools"><h2>Lag over time</h2><span class="grow" />
        <div class="segments" role="group" aria-label="Time">{SPANS.map(([label, seconds]) => <button key={label} aria-pressed={span === seconds} onClick={() => setSpan(seconds)}>{label}</button>)}</div>
      </div>
      {fault !== '' && <Failed what="The past of lags cannot be read" why={fault} />}
      {found === null && fault === '' && <Skeleton shape="chart" />}
      {found !== null && (
        <>
          <p class="dim reach">{reach(found.lag, found.at)}</p>
          <div class="lag-charts">
            <Plot title="Messages not read yet" unit="{message}" lines={found.lags} from={fromOf(found.lag, span, found.at)} to={found.at} />
            <Plot title="Messages stored a second" unit="{message}/s" lines={[found.rate]} from={fromOf(found.lag, span, found.at)} to={found.at} />
          </div>
        </>
      )}
    </section>
  );
}
