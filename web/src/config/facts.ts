// What is known about the open document beside its text: the effective values of its agent, its old versions, and how far
// the agents have come with a change that was just stored. Knows nothing of the DOM.
import { computed, signal, type Signal } from '@preact/signals';
import type { ConfigOverview, DocumentHistory, Explained } from '../lib/api';
import { agentOf, progressOf, type Rollout } from './layers';
import type { World } from './model';

const WATCH = 500;     // milliseconds between two looks at a change that is being applied
const WATCH_FOR = 60_000;

export class Facts {
  readonly explained = signal<Explained | null>(null);
  readonly history = signal<DocumentHistory | null>(null);
  readonly historyFault = signal('');
  readonly rollout = signal<Rollout | null>(null);
  readonly progress = computed(() => (this.rollout.value === null || this.overview.value === null ? null : progressOf(this.rollout.value, this.overview.value.agents)));
  private key = '';
  private watching: ReturnType<typeof setTimeout> | undefined;
  private watchUntil = 0;

  // `refresh` reads the overview again.
  constructor(private readonly world: World, private readonly overview: Signal<ConfigOverview | null>, private readonly refresh: () => Promise<void>) {}

  clear(): void {
    this.key = '';
    this.rollout.value = this.explained.value = this.history.value = null;
    this.historyFault.value = '';
  }

  close(): void {
    this.key = '';
    this.rollout.value = null;
    clearTimeout(this.watching);
  }

  load(key: string): void {
    this.key = key;
    void this.explain();
    void this.loadHistory();
  }

  // Other documents have changed.
  reload(): void {
    if (this.key !== '') this.load(this.key);
  }

  private async explain(): Promise<void> {
    const { key } = this;
    const agent = agentOf(key);
    if (agent === '') return;
    const found = await this.world.ask<Explained>('/config/explain', { agent }).catch(() => null);
    if (key === this.key && found !== null) this.explained.value = found;
  }

  private async loadHistory(): Promise<void> {
    const { key } = this;
    if (key === '') return;
    try {
      const found = await this.world.ask<DocumentHistory>('/config/history', { key });
      if (key !== this.key) return;
      this.history.value = found;
      this.historyFault.value = '';
    } catch (error) {
      if (key === this.key) this.historyFault.value = (error as Error).message;
    }
  }

  // Watches the agents until all have come to an end with the change.
  follow(rollout: Rollout): void {
    this.rollout.value = rollout;
    this.watchUntil = this.world.now() + WATCH_FOR;
    clearTimeout(this.watching);
    const look = async () => {
      await this.refresh();
      if (this.rollout.value !== rollout) return;
      if ((this.progress.value?.waiting.length ?? 0) > 0 && this.world.now() < this.watchUntil) this.watching = setTimeout(() => void look(), WATCH);
      else void this.explain();
    };
    void look();
  }
}
