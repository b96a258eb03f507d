// What the shell says about the connection and about the server behind it.
import { computed, signal } from '@preact/signals';
import { ask, type Status } from '../lib/api';
import { session } from '../lib/session';
import { stream, type LinkState } from '../lib/stream';
import { lampOf, noticesOf } from './notices';

const EVERY = 2000;  // milliseconds between two requests for the status

export const linkState = signal<LinkState>('connecting');
export const linkSince = signal(0);
export const status = signal<Status | null>(null);
const seconds = signal(0);  // advances each second, so that ages grow

export const lamp = computed(() => {
  void seconds.value;
  return lampOf(linkState.value, linkSince.value, Date.now(), status.value);
});
export const notices = computed(() => noticesOf(linkState.value, linkSince.value, status.value));

export async function refreshStatus(): Promise<void> {
  if (document.hidden || session.locked) return;
  try {
    status.value = await ask<Status>('/status');
  } catch {
    // A lost connection is reported by the stream.
  }
}

export function startConnection(): void {
  stream.onState((state, since) => {
    linkState.value = state;
    linkSince.value = since;
    if (state === 'live') void refreshStatus();
  });
  window.setInterval(() => void refreshStatus(), EVERY);
  window.setInterval(() => { ++seconds.value; }, 1000);
}
