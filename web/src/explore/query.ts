// Queries of the API of Prometheus, and their answers in the form of the page. Knows nothing of the DOM.
import type { Line } from '../host/lines';
import { ask } from '../lib/api';

export interface Place { line: number; column: number }  // both from 1

export class QueryError extends Error {
  constructor(message: string, readonly place: Place | null) {
    super(message);
  }
}

// "invalid parameter "query": 1:40: parse error: ..." names the place of a fault.
export function placeOf(message: string): Place | null {
  const found = /(?:^|[\s:])(\d+):(\d+): /.exec(message);
  return found === null ? null : { line: Number(found[1]), column: Number(found[2]) };
}

export interface Sample { metric: Record<string, string>; value: number; text: string }
export interface Row { metric: Record<string, string>; values: [number, string][] }
export interface Answer { resultType: string; result: unknown; warnings: string[] }

export async function query(path: 'query' | 'query_range', parameters: Record<string, string>): Promise<Answer> {
  const response = await fetch(`/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters), cache: 'no-store' });
  let given: { status?: string; error?: string; data?: { resultType: string; result: unknown }; warnings?: string[] };
  try {
    given = (await response.json()) as typeof given;
  } catch {
    throw new QueryError(`the server answered ${response.status} with something other than JSON`, null);
  }
  if (given.data === undefined || given.status !== 'success') throw new QueryError(given.error ?? `the server answered ${response.status}`, placeOf(given.error ?? ''));
  return { ...given.data, warnings: given.warnings ?? [] };
}

// Why a text is no query, and where; null: it is one, or the server does not say.
export async function faultOf(text: string): Promise<{ message: string; place: Place } | null> {
  const { error } = await ask<{ error: string }>('/query/check', {}, { method: 'POST', body: text }).catch(() => ({ error: '' }));
  const place = placeOf(error);
  return place === null ? null : { message: error, place };
}

// `name{label="value"}`, as Prometheus writes a series.
export function nameOf(metric: Record<string, string>): string {
  const { __name__: name = '', ...labels } = metric;
  const text = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(', ');
  return text === '' ? name || '{}' : `${name}{${text}}`;
}

// What tells lines apart: labels that all of them share are no part of a legend.
export function legendsOf(metrics: Record<string, string>[]): string[] {
  const shared = new Set(Object.keys(metrics[0] ?? {}).filter((label) => metrics.length > 1 && metrics.every((one) => one[label] === metrics[0]![label])));
  return metrics.map((one) => nameOf(Object.fromEntries(Object.entries(one).filter(([label]) => !shared.has(label)))));
}

export function samplesOf(answer: Answer): Sample[] {
  if (answer.resultType === 'scalar' || answer.resultType === 'string') {
    const [, text] = answer.result as [number, string];
    return [{ metric: {}, value: Number(text), text }];
  }
  return (answer.result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({ metric, value: Number(value[1]), text: value[1] }));
}

export function linesOf(rows: Row[]): Line[] {
  const legends = legendsOf(rows.map((one) => one.metric));
  return rows.map(({ metric, values }, i) => ({
    key: nameOf(metric), label: legends[i]!, below: false, times: values.map(([at]) => at), values: values.map(([, v]) => (Number.isFinite(Number(v)) ? Number(v) : null)),
  }));
}

// A step with at most about 400 points, and round in seconds.
export function stepOf(span: number): number {
  const least = span / 400;
  return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200].find((one) => one >= least) ?? 86400;
}
