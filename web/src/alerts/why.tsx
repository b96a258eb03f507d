// Why an alert fired: the value that its rule looks at, with the threshold.
import { useRef, useState } from 'preact/hooks';
import { clock } from '../lib/format';
import { humanValue } from '../lib/human';
import { link } from '../lib/page';
import { Chart } from '../host/chart';
import type { Line } from '../host/lines';
import type { Alert } from '../state/alert';
import { unitOf } from '../lib/prom_units';
import { isDark } from '../state/settings';
import { useEffect } from '../ui/effect';
import { Skeleton } from '../ui/states';
import { conditionOf } from './threshold';

const BEFORE = 1800;  // seconds shown before the alert became pending
const POINTS = 240;

interface Matrix { error?: string; data?: { result: { metric: Record<string, string>; values: [number, string][] }[] } }

// The series that this alert is about: all labels that both have are the same.
function linesOf(given: Matrix, alert: Alert): Line[] {
  return (given.data?.result ?? [])
    .filter(({ metric }) => Object.entries(metric).every(([name, value]) => name === '__name__' || alert.labels[name] === undefined || alert.labels[name] === value))
    .slice(0, 8)
    .map(({ metric, values }): Line => ({ key: JSON.stringify(metric), label: metric['agent'] ?? 'value', below: false, times: values.map(([at]) => at), values: values.map(([, v]) => (Number.isFinite(Number(v)) ? Number(v) : null)) }));
}

export function Why({ alert }: { alert: Alert }) {
  const host = useRef<HTMLDivElement>(null);
  const [fault, setFault] = useState('');
  const [lines, setLines] = useState<Line[] | null>(null);
  const condition = conditionOf(alert.expression);
  const now = Date.now() / 1000;
  const to = alert.ended === null ? now : Math.min(alert.ended + BEFORE / 4, now);
  const from = Math.max(alert.since - BEFORE, to - 7 * 86_400);
  useEffect(() => {
    let over = false;
    const query = new URLSearchParams({ query: condition?.left ?? alert.expression, start: String(from), end: String(to), step: String(Math.max(1, Math.ceil((to - from) / POINTS))) });
    fetch(`/api/v1/query_range?${query}`, { cache: 'no-store' }).then((response) => response.json() as Promise<Matrix>).then((given) => {
      if (over) return;
      setFault(given.error ?? '');
      setLines(linesOf(given, alert));
    }, (error: Error) => { if (!over) setFault(error.message); });
    return () => { over = true; };
  }, [alert.fingerprint]);
  const dark = isDark();
  const [unit, name] = unitOf(condition?.left ?? '');
  useEffect(() => {
    if (lines === null || lines.length === 0 || host.current === null) return;
    const chart = new Chart(host.current, { unit, metric: name, mode: 'lines' }, () => undefined, () => undefined);
    const limit: Line[] = condition === null ? [] : [{ key: 'threshold', label: 'threshold', below: false, past: true, times: [from, to], values: [condition.threshold, condition.threshold] }];
    chart.draw([...lines, ...limit], from, to, 3600);
    const resized = new ResizeObserver(() => chart.resize());
    resized.observe(host.current);
    return () => {
      resized.disconnect();
      chart.close();
    };
  }, [lines, dark]);
  return (
    <div class="why">
      <p class="dim">{condition === null ? 'The rule' : <>Fires while this is {condition.operator} <strong>{humanValue(unit, name, condition.threshold)}</strong></>}{alert.value !== null && <> · last value <strong>{humanValue(unit, name, alert.value)}</strong></>} · pending since {clock(alert.since)}{alert.fired > 0 && <> · firing since {clock(alert.fired)}</>}</p>
      <code class="expression" tabIndex={0}>{alert.expression}</code>
      {alert.file !== '' && <p><a href={link('rule', { file: alert.file, group: alert.group, rule: alert.name, test: '604800' })}>What this rule would have done last week</a></p>}
      {fault !== '' && <p class="warn" role="alert">{fault}</p>}
      {lines === null && fault === '' && <Skeleton shape="chart" />}
      {lines !== null && lines.length === 0 && <p class="dim">The history has no values of this expression.</p>}
      <div ref={host} class="plot" />
    </div>
  );
}
