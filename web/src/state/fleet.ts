// The live fleet: loads all agents once and follows their events. Views read signals: one for each agent, so that a card
// is written only when its own agent has changed, and `version` for what depends on all.
import { signal, type Signal } from '@preact/signals';
import { FleetModel, type Known } from './fleet_model';
import { ask, type AgentRow, type Fleet, type FleetEvent } from '../lib/api';
import { stream } from '../lib/stream';

const RETRY = 2000;    // milliseconds
const EVERY = 250;     // between two publications: an event may come with each commit of the server

export class FleetStore {
  readonly model = new FleetModel();
  readonly version = signal(0);
  readonly fault = signal('');
  readonly ready = signal(false);
  private readonly rows = new Map<string, Signal<Known>>();
  private serverNow = 0;  // in seconds,
  private gotAt = 0;      // and when it came
  private closed = false;
  private timer = 0;
  private retry = 0;
  private published = -EVERY;
  private changed = new Set<string>();

  // The server's time in seconds.
  now(): number {
    return this.serverNow + (performance.now() - this.gotAt) / 1000;
  }

  row(agent: string): Signal<Known> | undefined {
    return this.rows.get(agent);
  }

  start(): void {
    this.closed = false;
    void this.load();
  }

  stop(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.timer = 0;
  }

  private async load(): Promise<void> {
    if (this.closed) return;  // the stream tells of a reset until another page follows
    try {
      const fleet = await ask<Fleet>('/fleet');
      if (this.closed) return;  // the stream already belongs to another page
      this.model.agents.clear();
      this.fault.value = '';
      this.take(fleet.now, fleet.agents, []);
      this.ready.value = true;
      stream.follow(['fleet'], fleet.live_id, (name, data) => this.event(name, data), () => void this.load());
    } catch (error) {
      if (this.closed) return;
      this.fault.value = (error as Error).message;
      clearTimeout(this.retry);
      this.retry = window.setTimeout(() => void this.load(), RETRY);
    }
  }

  private event(name: string, data: unknown): void {
    if (name !== 'fleet' || this.closed) return;
    const { now, agents, forgotten } = data as FleetEvent;
    this.take(now, agents, forgotten);
  }

  private take(now: number, agents: AgentRow[], forgotten: string[]): void {
    this.serverNow = now;
    this.gotAt = performance.now();
    for (const row of agents) {
      this.model.take(row);
      this.changed.add(row.agent);
    }
    for (const agent of forgotten) {
      this.model.agents.delete(agent);
      this.rows.delete(agent);
    }
    // Once for all that arrives until then.
    if (this.timer === 0) this.timer = window.setTimeout(() => this.publish(), Math.max(0, this.published + EVERY - performance.now()));
  }

  private publish(): void {
    this.timer = 0;
    this.published = performance.now();
    for (const agent of this.changed) {
      const known = this.model.agents.get(agent);
      if (known === undefined) continue;
      const row = this.rows.get(agent);
      if (row === undefined) this.rows.set(agent, signal({ ...known }));
      else row.value = { ...known };
    }
    this.changed.clear();
    ++this.version.value;
  }
}
