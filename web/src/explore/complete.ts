// What can be typed next: names of metrics, functions, labels and values of labels.

export interface Option { label: string; detail?: string; type?: string; apply?: string }
export interface Found { typed: string; options: Option[]; valid: RegExp }
export type Context = { kind: 'value'; label: string; metric: string; typed: string } | { kind: 'label'; metric: string; typed: string } | { kind: 'name'; typed: string };

const FUNCTIONS = ['abs', 'absent', 'avg_over_time', 'ceil', 'changes', 'clamp', 'clamp_max', 'clamp_min', 'count_over_time', 'day_of_month', 'day_of_week', 'delta', 'deriv', 'exp', 'floor', 'histogram_quantile', 'hour', 'idelta', 'increase', 'irate',
  'label_join', 'label_replace', 'last_over_time', 'ln', 'log10', 'log2', 'max_over_time', 'min_over_time', 'minute', 'month', 'predict_linear', 'quantile_over_time', 'rate', 'resets', 'round', 'scalar', 'sgn', 'sort', 'sort_desc', 'sqrt', 'stddev_over_time', 'sum_over_time', 'time', 'timestamp', 'vector', 'year',
  'agent_state', 'config_revision', 'clock_skew_seconds', 'late_fraction', 'gap_seconds', 'missing_batches', 'waiting_batches'];
const AGGREGATIONS = ['avg', 'bottomk', 'count', 'group', 'max', 'min', 'quantile', 'stddev', 'sum', 'topk'];
const WORD = /[a-zA-Z_:][\w:]*$/;

// What stands at the end of the text before the cursor.
export function contextOf(before: string): Context | null {
  const braces = /([a-zA-Z_:][\w:]*)?\s*\{([^{}]*)$/.exec(before);
  if (braces !== null) {
    const metric = braces[1] ?? '';
    const value = /([a-zA-Z_]\w*)\s*(?:=|!=|=~|!~)\s*"([^"]*)$/.exec(braces[2]!);
    if (value !== null) return { kind: 'value', label: value[1]!, metric, typed: value[2]! };
    const label = /(?:^|,)\s*([a-zA-Z_]?\w*)$/.exec(braces[2]!);
    return label === null ? null : { kind: 'label', metric, typed: label[1]! };
  }
  const by = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)$/.exec(before);
  if (by !== null) return { kind: 'label', metric: '', typed: /(?:^|,)\s*(\w*)$/.exec(by[1]!)?.[1] ?? '' };
  const word = WORD.exec(before);
  if (word !== null) return { kind: 'name', typed: word[0] };
  return /(?:^|[\s(,+\-*/%^<>=])$/.test(before) ? { kind: 'name', typed: '' } : null;
}

const kept = new Map<string, Promise<string[]>>();

function names(path: string): Promise<string[]> {
  let found = kept.get(path);
  if (found === undefined) {
    found = fetch(path, { cache: 'no-store' }).then((response) => response.json() as Promise<{ data?: string[] }>).then((given) => given.data ?? []);
    kept.set(path, found);
    found.catch(() => kept.delete(path));
    window.setTimeout(() => kept.delete(path), 30_000);  // there may be new ones
  }
  return found;
}

export async function complete(before: string, explicit: boolean): Promise<Found | null> {
  const context = contextOf(before);
  if (context === null || (context.kind === 'name' && context.typed === '' && !explicit)) return null;
  const match = context.kind !== 'name' && context.metric !== '' ? `?${new URLSearchParams({ 'match[]': context.metric })}` : '';
  if (context.kind === 'value') {
    const values = await names(`/api/v1/label/${encodeURIComponent(context.label)}/values${match}`);
    return { typed: context.typed, options: values.map((label) => ({ label })), valid: /^[^"]*$/ };
  }
  if (context.kind === 'label') {
    const labels = await names(`/api/v1/labels${match}`);
    return { typed: context.typed, options: labels.filter((one) => one !== '__name__').map((label) => ({ label, detail: 'label' })), valid: /^\w*$/ };
  }
  const metrics = await names('/api/v1/label/__name__/values');
  return {
    typed: context.typed, valid: /^[\w:]*$/,
    options: [...metrics.map((label) => ({ label, detail: 'metric' })), ...FUNCTIONS.map((label) => ({ label, detail: 'function', apply: `${label}(` })), ...AGGREGATIONS.map((label) => ({ label, detail: 'aggregation' }))],
  };
}
