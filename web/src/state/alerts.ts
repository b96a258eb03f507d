// Alerts that are pending or firing, for every page that shows them. They are asked for while somebody looks.
import { computed, signal } from '@preact/signals';
import { ask } from '../lib/api';
import { session } from '../lib/session';
import { alertOf, type Alert, type Open } from './alert';

const EVERY = 5000;  // milliseconds

export const alerts = signal<Alert[]>([]);
export const alertsFault = signal('');
export const firing = computed(() => alerts.value.filter((one) => one.state === 'firing' && one.silencedBy.length === 0));
export const firingByAgent = computed(() => {
  const found = new Map<string, number>();
  for (const one of firing.value) found.set(one.agent, (found.get(one.agent) ?? 0) + 1);
  return found;
});

export async function refreshAlerts(): Promise<void> {
  if (document.hidden || session.locked) return;
  try {
    const found = await ask<{ alerts: Open[] }>('/alerts');
    alerts.value = found.alerts.map(alertOf);
    alertsFault.value = '';
  } catch (error) {
    alertsFault.value = (error as Error).message;
  }
}

export function startAlerts(): void {
  window.setInterval(() => void refreshAlerts(), EVERY);
}
