// The chart of what a rule compares, over the time of its test, with the threshold.
import { useRef, useState } from 'preact/hooks';
import { conditionOf } from '../alerts/threshold';
import { linesOf, query, type Row } from '../explore/query';
import { Chart } from '../host/chart';
import type { Line } from '../host/lines';
import { unitOf } from '../lib/prom_units';
import { isDark } from '../state/settings';
import { useEffect } from '../ui/effect';
import { Skeleton } from '../ui/states';

const POINTS = 500;
const MOST_SERIES = 200;

export function TestChart({ expression, from, to, placed }: { expression: string; from: number; to: number; placed: (left: number, right: number) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const [lines, setLines] = useState<Line[] | null>(null);
  const [fault, setFault] = useState('');
  const condition = conditionOf(expression);
  const shown = condition?.left ?? expression;
  const step = Math.max(1, Math.ceil((to - from) / POINTS));
  useEffect(() => {
    let over = false;
    setLines(null);
    query('query_range', { query: shown, start: from.toFixed(3), end: to.toFixed(3), step: String(step), limit: String(MOST_SERIES) }).then((answer) => {
      if (!over) setLines(linesOf(answer.result as Row[]));
    }, (error: Error) => { if (!over) setFault(error.message); });
    return () => { over = true; };
  }, [shown, from, to]);
  const dark = isDark();
  useEffect(() => {
    if (lines === null || lines.length === 0 || host.current === null) return;
    const element = host.current;
    const [unit, metric] = unitOf(shown);
    const chart = new Chart(element, { unit, metric, mode: 'lines' }, () => undefined, () => undefined);
    const limit: Line[] = condition === null ? [] : [{ key: 'threshold', label: 'threshold', below: false, past: true, times: [from, to], values: [condition.threshold, condition.threshold] }];
    const place = () => requestAnimationFrame(() => {
      const over = element.querySelector<HTMLElement>('.u-over');
      if (over !== null) placed(over.offsetLeft, element.clientWidth - over.offsetLeft - over.offsetWidth);
    });
    chart.draw([...limit, ...lines], from, to, step);
    place();
    const resized = new ResizeObserver(() => {
      chart.resize();
      place();
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.close();
    };
  }, [lines, dark]);
  if (fault !== '') return <p class="warn" role="alert">{fault}</p>;
  return (
    <>
      {lines === null && <Skeleton shape="chart" />}
      {lines !== null && lines.length === 0 && <p class="dim">The history has no values of <code>{shown}</code> in this time.</p>}
      <div ref={host} class="plot" />
    </>
  );
}
