// The part of the API that the page uses. Its types are generated from the document that describes all of it
// (/api/ui/v1/openapi.json).
import type { components, paths } from '../api/types';

type Json<Operation> = Operation extends { responses: { 200: { content: { 'application/json': infer Value } } } } ? Value : never;
type Operation<Path extends keyof paths, Method> = Method extends keyof paths[Path] ? paths[Path][Method] : never;
export type Result<Path extends keyof paths, Method extends string> = Json<Operation<Path, Method>>;
export type Get<Path extends keyof paths> = Result<Path, 'get'>;
export type Body<Path extends keyof paths, Method extends string> = Operation<Path, Method> extends { requestBody: { content: { 'application/json': infer Value } } } ? Value : never;
export type Answer<Path extends keyof paths> = Get<Path>;

export type AgentRow = components['schemas']['Agent'];  // in an event, `past` has only the steps that changed
export type Health = AgentRow['health'];
export const HEALTHS: Health[] = ['alive', 'late', 'spooling', 'silent', 'stopped', 'unknown', 'gone'];
export type Fleet = Get<'/api/ui/v1/fleet'>;
export type FleetEvent = components['schemas']['FleetEvent'];
export type Series = components['schemas']['Series'];
export type Range = Get<'/api/ui/v1/range'>;
export type MetricText = Range['metrics'][string];  // as the collector declares it
export type Tick = components['schemas']['TickEvent'];
export type Status = Get<'/api/ui/v1/status'>;
export type Session = Get<'/api/ui/v1/session'>;
export type Silence = Get<'/api/ui/v1/silences'>['silences'][number];
export type Problem = components['schemas']['Problem'];
export type ConfigOverview = Get<'/api/ui/v1/config'>;
export type StoredDocument = ConfigOverview['documents'][number];
export type ConfigRow = ConfigOverview['agents'][number];
export type StoredText = Get<'/api/ui/v1/config/document'>;
export type Explained = Get<'/api/ui/v1/config/explain'>;
export type DocumentHistory = Get<'/api/ui/v1/config/history'>;
export type Version = DocumentHistory['versions'][number];
export type ConfigPreview = Json<paths['/api/ui/v1/config/preview']['post']>;

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
