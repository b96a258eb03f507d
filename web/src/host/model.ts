// What a host's page shows and how it follows it, without the DOM: the chosen agents and range of time, their history, and
// the live ticks behind it.
import { signal } from '@preact/signals';
import { ApiError, ask, type AgentRow, type Fleet, type Range, type Tick } from '../lib/api';
import { clock, count, many } from '../lib/format';
import { go } from '../lib/page';
import { stream } from '../lib/stream';
import { agentsOf, MOST_AGENTS, rangeQuery, takeEarly } from './early';
import { loadMarks, marksOf, type Mark } from './marks';
import { Panels, type Taken } from './panels';
import { orderOf, orderText, type Order } from './processes';
import { fixedParameters, TimeRange } from './time_range';

const MOST_FACTS = 6;
const MOST_ASKED = 10_000;
const RETRY = 2000;  // milliseconds

export interface Fact { agent: string; row: AgentRow | null; fault: string }

export class HostModel {
  readonly agents = signal<string[]>([]);
  readonly metric = signal('');
  readonly earlier = signal(0);  // seconds: the same time so much earlier is drawn as well; 0: not
  readonly order = signal<Order>(orderOf(''));  // of the table of processes
  readonly names = signal<string[]>([]);
  readonly facts = signal<Fact[]>([]);
  readonly info = signal('');
  readonly loaded = signal(false);
  readonly marks = signal<Mark[]>([]);
  readonly moved = signal(0);   // advances when the range has been changed by the user
  readonly second = signal(0);  // advances each second while live
  readonly range = new TimeRange(() => this.now());
  readonly panels = new Panels(() => this.range.bounds());
  private offset = 0;  // server's clock minus the browser's, in seconds
  private resolution = '';
  private following = '';  // the topics of the stream
  private loading = 0;
  private loadedAt = 0;
  private again = 0;
  private retry = 0;
  private naming = 0;
  private knowing: Promise<void> = Promise.resolve();
  private closed = false;
  private readonly asked = new Map<string, number>();  // reloads caused by series without a chart
  private timers: number[] = [];

  start(parameters: URLSearchParams): void {
    this.closed = false;
    this.timers = [
      window.setInterval(() => this.tick(), 1000),
      window.setInterval(() => { if (!document.hidden) void this.loadFacts(); }, 2000),
      window.setInterval(() => { if (!document.hidden && this.range.live) void this.loadMarks(); }, 20_000),
    ];
    this.update(parameters);
    this.naming = window.setTimeout(() => void this.loadNames(), this.agents.value.length === 0 ? 0 : 500);
  }

  // The parameters in the address have changed.
  update(parameters: URLSearchParams): void {
    this.choose(agentsOf(parameters));
    this.range.read(parameters);
    this.metric.value = parameters.get('metric') ?? '';
    this.earlier.value = Number(parameters.get('earlier') ?? 0) || 0;
    this.order.value = orderOf(parameters.get('processes') ?? '');
    this.following = '';
    ++this.moved.value;
    this.knowing = this.loadFacts();
    void this.load();
  }

  close(): void {
    this.closed = true;
    for (const one of this.timers) clearInterval(one);
    for (const one of [this.again, this.retry, this.naming]) clearTimeout(one);
    this.panels.close();
  }

  now(): number {
    return Date.now() / 1000 + this.offset;
  }

  // Changes the range of time; the browser's Back button undoes it.
  move(change: () => void): void {
    change();
    this.updateAddress(false);
    void this.load();
  }

  filter(metric: string): void {
    if (this.closed) return;  // typed a moment before the view was left
    this.metric.value = metric;
    this.updateAddress(true);
    void this.load();
  }

  compareWith(earlier: number): void {
    this.earlier.value = earlier;
    this.updateAddress(false);
    void this.load();
  }

  sort(order: Order): void {
    this.order.value = order;
    this.updateAddress(true);
  }

  // False: there is no agent of this name.
  async add(name: string): Promise<boolean> {
    if (!this.names.value.includes(name)) await this.loadNames();  // the agent may be new
    if (this.closed) return true;  // the address is another view's now
    if (!this.names.value.includes(name)) return false;
    const before = this.agents.value;
    this.chooseAndLoad(before.includes(name) ? before : [...before, name].slice(-MOST_AGENTS));
    return true;
  }

  remove(name: string): void {
    this.chooseAndLoad(this.agents.value.filter((one) => one !== name));
  }

  // The address of this page, for a link to one chart if it is named.
  parameters(metric = this.metric.value): Record<string, string> {
    return {
      agents: this.agents.value.join(','), ...this.range.parameters(),
      ...(metric === '' ? {} : { metric }), ...(this.earlier.value === 0 ? {} : { earlier: String(this.earlier.value) }),
      ...(orderText(this.order.value) === '' ? {} : { processes: orderText(this.order.value) }),
    };
  }

  // The same, for a link that shows the same range later: a live range becomes the one in sight.
  lasting(metric: string): Record<string, string> {
    const { span: _, ...others } = this.parameters(metric);
    return { ...others, ...fixedParameters(this.range.bounds()) };
  }

  // Removes the charts of agents that are no longer chosen at once: the reply for the new ones may be late, or fail.
  private choose(next: string[]): void {
    const before = this.agents.value;
    if (before.length === 0 || before.some((one) => !next.includes(one))) {
      ++this.loading;  // replies in flight are for other agents
      this.resolution = this.following = '';
      this.asked.clear();
      this.panels.clear();
      this.facts.value = [];
      this.marks.value = [];
      this.loaded.value = false;
    }
    this.agents.value = next;
  }

  private chooseAndLoad(next: string[]): void {
    this.choose(next);
    this.updateAddress(false);
    this.knowing = this.loadFacts();
    void this.load();
  }

  private updateAddress(replace: boolean): void {
    go('agent', this.parameters(), replace ? 'replace' : 'push');
    ++this.moved.value;
  }

  private ask(back: number): Promise<Range> {
    return ask<Range>('/range', rangeQuery(this.agents.value, this.metric.value, this.range, back));
  }

  private async load(): Promise<void> {
    if (this.closed) return;
    const mine = ++this.loading;
    if (this.agents.value.length === 0) {
      this.info.value = 'Choose an agent.';
      this.follow('');
      await this.loadNames();
      return;
    }
    try {
      const range = (await takeEarly(this.agents.value, this.metric.value, this.range)) ?? (await this.ask(0));
      await this.knowing;  // charts leave out the labels of their agents
      if (mine !== this.loading || this.closed) return;
      this.loadedAt = performance.now();
      this.show(range);
      this.follow(range.live_id);
      if (this.earlier.value > 0) await this.loadEarlier(mine);
      void this.loadMarks();
    } catch (error) {
      if (mine !== this.loading || this.closed) return;
      this.info.value = `The history cannot be read: ${(error as Error).message}`;
      // A retry of a rejected request would be rejected as well.
      if (error instanceof ApiError && error.status < 500) return;
      clearTimeout(this.retry);
      this.retry = window.setTimeout(() => { if (mine === this.loading) void this.load(); }, RETRY);
    }
  }

  private async loadEarlier(mine: number): Promise<void> {
    const back = this.earlier.value;
    const range = await this.ask(back);
    if (mine === this.loading && !this.closed) this.panels.compare(range, back, 'earlier', this.agents.value.length, this.own());
  }

  // The labels of the agents' configurations.
  private own(): Record<string, Record<string, string>> {
    return Object.fromEntries(this.facts.value.flatMap(({ agent, row }) => (row === null ? [] : [[agent, row.labels]])));
  }

  private show(range: Range): void {
    this.resolution = range.resolution;
    this.panels.show(range, this.range.live, this.agents.value.length, this.metric.value !== '', this.own());
    this.loaded.value = true;
    if (this.earlier.value === 0) this.panels.compare(null, 0, '', 1);
    const points = range.series.reduce((sum, one) => sum + one.times.length, 0);
    const [from, to] = this.range.bounds();
    const [known, shown] = [this.panels.metrics, this.panels.shown.value.length];
    this.info.value = range.series.length === 0 ? `No values of ${this.agents.value.join(', ')} between ${clock(from)} and ${clock(to)}.`
      : `${clock(from)} – ${this.range.live ? 'now' : clock(to)} · ${this.resolution === 'full' ? 'every tick' : `averages of ${this.resolution}`} · ${many(points, 'point')}${shown < known ? ` · ${count(shown)} of ${many(known, 'chart')}` : ''} · drag to zoom, double-click for live`;
  }

  // Reloads once the newest events have reached the history, every 5 s at most.
  private loadSoon(): void {
    if (this.again !== 0 || this.closed) return;
    this.again = window.setTimeout(() => { this.again = 0; if (!this.closed && this.range.live) void this.load(); }, Math.max(1500, 5000 - (performance.now() - this.loadedAt)));
  }

  private follow(after: string): void {
    const topics = this.agents.value.map((name) => `agent:${name}`);
    const wanted = topics.join() || 'none';
    // Reloading a range does not reopen the stream: duplicate ticks are recognized by their time.
    if (this.following === wanted) return;
    this.following = wanted;
    if (topics.length === 0) return stream.attend();
    return stream.follow(topics, after, (name, data) => this.event(name, data), () => { this.following = ''; void this.load(); });
  }

  private event(name: string, data: unknown): void {
    if (name !== 'tick' || !this.range.live || this.resolution !== 'full') return;
    const taken = this.panels.take(data as Tick, this.now() - this.range.span * 1.1);
    if (taken.late || this.isNew(taken)) this.loadSoon();
  }

  // A series without a chart is either new or filtered out. Reloads for it at most three times.
  private isNew(taken: Taken): boolean {
    let found = false;
    for (const key of taken.unknown) {
      const times = this.asked.get(key) ?? 0;
      if (this.metric.value !== '' || times >= 3 || this.asked.size >= MOST_ASKED) continue;
      this.asked.set(key, times + 1);
      found = true;
    }
    return found;
  }

  private tick(): void {
    if (document.hidden || !this.range.live) return;
    ++this.second.value;
    this.panels.redraw();
    // Averages come from the history, which adds buckets as time passes.
    if (this.resolution !== 'full' && this.resolution !== '' && performance.now() - this.loadedAt > 10_000) void this.load();
  }

  private async loadNames(): Promise<void> {
    try {
      const fleet = await ask<Fleet>('/fleet');
      this.offset = fleet.now - Date.now() / 1000;
      this.names.value = fleet.agents.map((one) => one.agent);
    } catch {
      // load() shows the error.
    }
  }

  // Facts of the first few agents. An unknown agent is shown as unknown.
  private async loadFacts(): Promise<void> {
    const mine = this.agents.value;
    if (mine.length === 0 || this.closed) return;
    try {
      const found = await Promise.all(mine.slice(0, MOST_FACTS).map(async (agent): Promise<Fact> => {
        try {
          return { agent, row: await ask<AgentRow>(`/agents/${encodeURIComponent(agent)}`), fault: '' };
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 404) throw error;
          return { agent, row: null, fault: error.message };
        }
      }));
      if (this.agents.value === mine && !this.closed) this.facts.value = found;
    } catch {
      // Retried at the next interval.
    }
  }

  private async loadMarks(): Promise<void> {
    const mine = this.agents.value;
    const [from, to] = this.range.bounds();
    try {
      const found = await loadMarks(mine, from, to);
      if (this.agents.value !== mine || this.closed) return;
      this.marks.value = [...found, ...marksOf(this.panels.shown.value, this.panels.width)].sort((a, b) => a.at - b.at);
      this.panels.redraw();
    } catch {
      // Marks are an addition; the charts are complete without them.
    }
  }
}
