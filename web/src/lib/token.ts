// The token with which this browser may change something, on a page without logins.
import { session } from './session';

const TOKEN = 'monitor-token';  // also of the configuration's editor

export function savedToken(): string {
  return sessionStorage.getItem(TOKEN) ?? '';
}

// Remembers the token, if one is needed.
export function headersOf(token: string): Record<string, string> {
  if (session.changes() !== 'token') return {};
  sessionStorage.setItem(TOKEN, token);
  return { Authorization: `Bearer ${token}` };
}
