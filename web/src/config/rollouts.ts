// Rollouts without a view: what is known of them, and what an operator asks for.
import { signal } from '@preact/signals';
import { ApiError } from '../lib/api';
import type { Rollouts } from '../state/rollout_events';

export type Rollout = Rollouts['rollouts'][number];
export type Action = 'pause' | 'resume' | 'abort';

interface World {
  ask: <T>(path: string, parameters?: Record<string, string>, options?: RequestInit) => Promise<T>;
  headers: () => Record<string, string> | null;  // null: a token is missing
}

export class RolloutsModel {
  readonly found = signal<Rollouts | null>(null);
  readonly fault = signal('');
  readonly busy = signal('');  // the group that an operator's wish is under way for

  constructor(private readonly world: World) {}

  async refresh(): Promise<void> {
    try {
      this.found.value = await this.world.ask<Rollouts>('/rollouts');
      if (this.busy.value === '') this.fault.value = '';
    } catch (error) {
      this.fault.value = (error as Error).message;
    }
  }

  async operate(group: string, action: Action, message: string): Promise<boolean> {
    const headers = this.world.headers();
    if (headers === null) {
      this.fault.value = 'Changes need the token, which is in the file web-token in the server\'s data folder.';
      return false;
    }
    this.busy.value = group;
    try {
      this.found.value = await this.world.ask<Rollouts>('/rollouts/operate', { group }, { method: 'POST', headers, body: JSON.stringify({ action, message }) });
      this.fault.value = '';
      return true;
    } catch (error) {
      this.fault.value = error instanceof ApiError && error.status === 401 ? 'The token is wrong.' : (error as Error).message;
      return false;
    } finally {
      this.busy.value = '';
    }
  }
}

// What an operator may do now.
export function actionsOf(rollout: Pick<Rollout, 'state'>): Action[] {
  if (rollout.state === 'running') return ['pause', 'abort'];
  return rollout.state === 'paused' ? ['resume', 'abort'] : [];
}

export type StepState = 'passed' | 'current' | 'ahead';
export function stepStates(rollout: Pick<Rollout, 'state' | 'step' | 'steps'>): StepState[] {
  const all = rollout.state === 'done' || rollout.state === 'finishing';
  const shown = rollout.state === 'running' || rollout.state === 'paused' || rollout.state === 'undoing';
  return rollout.steps.map((_, i) => (all || i < rollout.step ? 'passed' : i === rollout.step && shown ? 'current' : 'ahead'));
}

// Running ones first, then the newest.
export function inOrder(rollouts: Rollout[]): Rollout[] {
  return [...rollouts].sort((a, b) => Number(a.over) - Number(b.over) || b.started - a.started || a.group.localeCompare(b.group));
}
