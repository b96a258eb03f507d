// What can be typed next: names of metrics, functions, labels and values of labels.

export interface Option { label: string; detail?: string; type?: string; apply?: string }
export interface Found { typed: string; options: Option[]; valid: RegExp }
export interface Words { functions: { name: string; signature: string; of_agents: boolean }[]; aggregations: { name: string; has_parameter: boolean }[] }
export type Context = { kind: 'agent'; name: string; typed: string } | { kind: 'value'; label: string; metric: string; typed: string } | { kind: 'label'; metric: string; typed: string } | { kind: 'name'; typed: string };

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
  const call = /([a-zA-Z_]\w*)\s*\(\s*"([^"]*)$/.exec(before);
  if (call !== null) return { kind: 'agent', name: call[1]!, typed: call[2]! };
  const word = WORD.exec(before);
  if (word !== null) return { kind: 'name', typed: word[0] };
  return /(?:^|[\s(,+\-*/%^<>=])$/.test(before) ? { kind: 'name', typed: '' } : null;
}

const kept = new Map<string, Promise<unknown>>();

function asked<T>(path: string, take: (body: unknown) => T): Promise<T> {
  let found = kept.get(path) as Promise<T> | undefined;
  if (found === undefined) {
    found = fetch(path, { cache: 'no-store' }).then((response) => response.json()).then(take);
    kept.set(path, found);
    found.catch(() => kept.delete(path));
    window.setTimeout(() => kept.delete(path), 30_000);  // there may be new ones
  }
  return found;
}

const names = (path: string) => asked(path, (body) => (body as { data?: string[] }).data ?? []);
const words = () => asked('/api/ui/v1/query/words', (body) => body as Words);

// What can be written where a name is expected.
export function namesOf(metrics: string[], { functions, aggregations }: Words): Option[] {
  return [
    ...metrics.map((label) => ({ label, detail: 'metric' })),
    ...functions.map(({ name, signature }) => ({ label: name, detail: `function ${signature}`, apply: signature === '()' ? `${name}()` : `${name}(` })),
    ...aggregations.map(({ name, has_parameter }) => ({ label: name, detail: has_parameter ? 'aggregation (parameter, instant vector)' : 'aggregation' })),
  ];
}

export async function complete(before: string, explicit: boolean): Promise<Found | null> {
  const context = contextOf(before);
  if (context === null || (context.kind === 'name' && context.typed === '' && !explicit)) return null;
  if (context.kind === 'agent') {
    if (!(await words()).functions.some((one) => one.of_agents && one.name === context.name)) return null;
    return { typed: context.typed, options: (await names('/api/v1/label/agent/values')).map((label) => ({ label, detail: 'agent' })), valid: /^[^"]*$/ };
  }
  const match = context.kind !== 'name' && context.metric !== '' ? `?${new URLSearchParams({ 'match[]': context.metric })}` : '';
  if (context.kind === 'value') {
    const values = await names(`/api/v1/label/${encodeURIComponent(context.label)}/values${match}`);
    return { typed: context.typed, options: values.map((label) => ({ label })), valid: /^[^"]*$/ };
  }
  if (context.kind === 'label') {
    const labels = await names(`/api/v1/labels${match}`);
    return { typed: context.typed, options: labels.filter((one) => one !== '__name__').map((label) => ({ label, detail: 'label' })), valid: /^\w*$/ };
  }
  const [metrics, known] = await Promise.all([names('/api/v1/label/__name__/values'), words()]);
  return { typed: context.typed, valid: /^[\w:]*$/, options: namesOf(metrics, known) };
}
