// Silences, as the server takes them.
import { ask, type Silence } from '../lib/api';
import { headersOf } from '../lib/token';

export function setSilence(matchers: string[], seconds: number, reason: string, token: string): Promise<Silence> {
  const endsAt = new Date(Date.now() + seconds * 1000).toISOString();
  return ask<Silence>('/silences', {}, { method: 'POST', headers: headersOf(token), body: JSON.stringify({ matchers, endsAt, reason }) });
}

export function expireSilence(id: string, token: string): Promise<Silence> {
  return ask<Silence>('/silences/expire', { id }, { method: 'POST', headers: headersOf(token) });
}
