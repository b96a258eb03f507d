// The part of the API that the page uses; /api/ui/v1/openapi.json describes all of it.

export type Health = 'alive' | 'late' | 'spooling' | 'silent' | 'stopped' | 'unknown' | 'gone';
export const HEALTHS: Health[] = ['alive', 'late', 'spooling', 'silent', 'stopped', 'unknown', 'gone'];

export interface AgentRow {
  agent: string;
  host: string;
  version: string;
  health: Health;
  why: string;
  problems: string[];  // reported by the agent itself while it is alive
  seen: number | null;
  tick: number | null;
  interval: number | null;
  revision: number;
  waiting: number;
  clock_error: number;
  other_host: string;
  labels: Record<string, string>;
  figures: (number | null)[];
  past: { end: number | null; step: number; figures: (number | null)[][] };  // in an event: only the steps that changed
}
export interface Fleet { now: number; live_id: string; agents: AgentRow[] }
export interface Series {
  agent: string; metric: string; labels: Record<string, string>; unit: string; kind: string;
  times: number[]; values?: (number | null)[]; avg?: (number | null)[];
  min?: (number | null)[]; max?: (number | null)[]; count?: number[];
}
export interface MetricText { title: string; description: string }  // as the collector declares it
export interface Range { resolution: string; from: number; to: number; live_id: string; series: Series[]; metrics: Record<string, MetricText> }
export interface Tick { agent: string; time: number; late: boolean; values: Record<string, number | null> }
export interface Status {
  version: string; now: number; agents: number; trouble: string[];
  servers: { state: 'unknown' | 'writing' | 'stopped' | 'away'; last: number | null; trouble: string };
  log: { name: string; trouble: string; since: number | null; newest: number | null; caught_up: boolean; skipped: number; lost: number };
  history: { trouble: string; since: number | null };
  config: { source: string; files: boolean; trouble: string; editable: boolean };
}
export interface Problem { path: string; line: number; message: string; warning: boolean; text: string }

export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly data: Record<string, unknown>) {
    super(message);
  }
}

export type Parameters = Record<string, string | number | string[] | undefined>;

export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === '') continue;
    if (Array.isArray(value)) for (const one of value) query.append(name, one);
    else query.append(name, String(value));
  }
  const text = query.toString();
  return `/api/ui/v1${path}${text === '' ? '' : `?${text}`}`;
}

// While `on`, nobody is logged in, and only the login itself reaches the server. `ask` is called when the server no longer
// knows who asks.
export const lock = { on: false, ask: (): void => undefined };
let csrf = '';  // proves that a change comes from this page

export function unlock(token: string): void {
  csrf = token;
  lock.on = false;
}

export async function ask<T>(path: string, parameters: Parameters = {}, options: RequestInit = {}): Promise<T> {
  const open = path === '/login' || path === '/session';
  if (lock.on && !open) throw new ApiError(401, 'nobody is logged in', {});
  const headers = new Headers(options.headers);
  if (csrf !== '' && options.method !== undefined) headers.set('X-CSRF-Token', csrf);
  const response = await fetch(address(path, parameters), { cache: 'no-store', ...options, headers });
  if (response.status === 401 && !open && !headers.has('Authorization')) lock.ask();
  const text = await response.text();
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new ApiError(response.status, `the server answered ${response.status} with something other than JSON`, {});
  }
  if (!response.ok) {
    const object = (data ?? {}) as Record<string, unknown>;
    throw new ApiError(response.status, String(object['error'] ?? response.status), object);
  }
  return data as T;
}
