// Silences, as the server takes them.
import { ask, type Silence } from '../lib/api';
import { session } from '../lib/session';

const TOKEN = 'monitor-token';  // also of the configuration's editor

export function savedToken(): string {
  return sessionStorage.getItem(TOKEN) ?? '';
}

function headers(token: string): HeadersInit {
  if (session.changes() !== 'token') return {};
  sessionStorage.setItem(TOKEN, token);
  return { Authorization: `Bearer ${token}` };
}

export function setSilence(matchers: string[], seconds: number, reason: string, token: string): Promise<Silence> {
  const endsAt = new Date(Date.now() + seconds * 1000).toISOString();
  return ask<Silence>('/silences', {}, { method: 'POST', headers: headers(token), body: JSON.stringify({ matchers, endsAt, reason }) });
}

export function expireSilence(id: string, token: string): Promise<Silence> {
  return ask<Silence>('/silences/expire', { id }, { method: 'POST', headers: headers(token) });
}
