// The past of lags as lines of a chart. Knows nothing of the DOM.
import type { Line } from '../host/lines';
import type { Lag } from './api';

export function lagLines(lag: Lag): Line[] {
  const line = (key: string, label: string, values: (number | null)[]): Line => ({ key, label, below: false, times: lag.times, values });
  const own = lag.reader.length === 0 ? [] : [line('own', 'This page’s server', lag.reader)];
  return [...own, ...lag.groups.map((one) => line(`group ${one.group}`, one.group, one.lag))];
}

// Messages a second between samples. A log that was replaced begins anew: a gap.
export function rateLine(lag: Lag): Line {
  const values = lag.stored.map((end, i): number | null => {
    const [before, seconds] = [lag.stored[i - 1], lag.times[i]! - (lag.times[i - 1] ?? 0)];
    return before === undefined || end < before ? null : (end - before) / seconds;
  });
  return { key: 'stored', label: 'stored a second', below: false, times: lag.times.slice(1), values: values.slice(1) };
}
