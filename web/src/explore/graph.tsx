// The answer of a query over a range of time.
import { useRef } from 'preact/hooks';
import { Chart, MOST_LINES } from '../host/chart';
import type { Line } from '../host/lines';
import { unitOf } from '../lib/prom_units';
import { isDark } from '../state/settings';
import { useEffect } from '../ui/effect';

interface Props { lines: Line[]; from: number; to: number; step: number; expression: string; zoom: (range: [number, number] | null) => void }

export function Graph({ lines, from, to, step, expression, zoom }: Props) {
  const latest = useRef(zoom);
  latest.current = zoom;
  const host = useRef<HTMLDivElement>(null);
  const dark = isDark();
  useEffect(() => {
    const [unit, metric] = unitOf(expression);
    const chart = new Chart(host.current!, { unit, metric, mode: 'lines' }, (begin, end) => latest.current([begin, end]), () => latest.current(null));
    chart.draw(lines, from, to, step);
    const resized = new ResizeObserver(() => chart.resize());
    resized.observe(host.current!);
    return () => {
      resized.disconnect();
      chart.close();
    };
  }, [lines, from, to, step, dark]);
  return (
    <figure class="panel explore-graph">
      {lines.length > MOST_LINES && <figcaption><small>{MOST_LINES} of {lines.length} lines</small></figcaption>}
      <div ref={host} class="plot" />
    </figure>
  );
}
