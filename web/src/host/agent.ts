// Charts of one or several agents: live, or any range of time in the history.
import { ApiError, ask, Fleet, Range, Tick } from '../lib/api';
import { ChartGrid, Taken } from './chart_grid';
import { debounce, el, replaceChildren, setText } from '../lib/dom';
import { factsOf } from './facts';
import { clock, count, many } from '../lib/format';
import { go, link, Page } from '../lib/page';
import { stream } from '../lib/stream';
import { TimeRange } from './time_range';

const SPANS: [string, number][] = [['5 min', 300], ['15 min', 900], ['1 h', 3600], ['6 h', 21600], ['24 h', 86400], ['7 d', 604800], ['30 d', 2592000]];
const MOST_AGENTS = 20;
const MOST_ASKED = 10_000;

class AgentPage implements Page {
  readonly element: HTMLElement;
  private agents: string[] = [];
  private metric = '';
  private names: string[] = [];
  private offset = 0;  // server's clock minus the browser's, in seconds
  private resolution = '';
  private following = '';  // the topics of the stream
  private loading = 0;
  private loadedAt = 0;
  private again = 0;
  private closed = false;
  private readonly asked = new Map<string, number>();  // reloads caused by series without a chart
  private readonly timeRange = new TimeRange(() => this.now());
  private readonly grid = new ChartGrid(() => this.timeRange.bounds(), (from, to) => this.move(() => { this.timeRange.fixed = [from, to]; }), () => this.move(() => this.timeRange.goLive()));

  private readonly chips = el('div', { class: 'chips' });
  private readonly options = el('datalist', { id: 'agent-names' });
  private readonly picker = el('input', { list: 'agent-names', placeholder: 'Add an agent  /', 'aria-label': 'Add an agent' });
  private readonly metricBox = el('input', { type: 'search', placeholder: 'Metrics, e.g. system.cpu.*', 'aria-label': 'Metrics' });
  private readonly live = el('button', { click: () => this.move(() => this.timeRange.goLive()) }, 'Live');
  private readonly spans = SPANS.map(([label, seconds]) => ({ seconds, button: el('button', { click: () => this.move(() => this.timeRange.goLive(seconds)) }, label) }));
  private readonly info = el('p', { class: 'dim info', role: 'status' });
  private readonly facts = el('div', { class: 'facts' });
  private readonly timer = window.setInterval(() => this.tick(), 1000);
  private readonly factsTimer = window.setInterval(() => { if (!document.hidden) void this.loadFacts(); }, 2000);

  constructor(start: URLSearchParams) {
    const button = (label: string, title: string, text: string, change: () => void) => el('button', { 'aria-label': label, title, click: () => this.move(change) }, text);
    this.element = el('section', { class: 'agent' }, el('h1', { class: 'visually-hidden' }, 'Agent'),
      el('div', { class: 'tools' }, this.chips, this.picker, this.options, this.metricBox,
        el('div', { class: 'group' }, button('Earlier', 'Earlier  ←', '‹', () => this.timeRange.pan(-0.5)), button('Zoom in', 'Zoom in  +', '+', () => this.timeRange.zoomIn()),
          button('Zoom out', 'Zoom out  -', '−', () => this.timeRange.zoomOut()), button('Later', 'Later  →', '›', () => this.timeRange.pan(0.5))),
        el('div', { class: 'group', role: 'group', 'aria-label': 'Time' }, ...this.spans.map((one) => one.button)), this.live),
      this.facts, this.info, this.grid.element);
    this.picker.addEventListener('change', () => void this.addAgent());
    this.picker.addEventListener('keydown', (pressed) => { if (pressed.key === 'Enter') void this.addAgent(); });
    this.picker.addEventListener('input', () => this.picker.setCustomValidity(''));
    this.metricBox.addEventListener('input', debounce(400, () => { this.metric = this.metricBox.value.trim(); this.updateAddress(true); void this.load(); }));
    this.update(start);
    window.setTimeout(() => void this.loadNames(), this.agents.length === 0 ? 0 : 500);
  }

  update(parameters: URLSearchParams): void {
    this.choose((parameters.get('agents') ?? '').split(',').filter((one) => one !== '').slice(0, MOST_AGENTS));
    this.timeRange.read(parameters);
    this.metric = this.metricBox.value = parameters.get('metric') ?? '';
    this.following = '';
    this.controls();
    void this.load();
    void this.loadFacts();
  }
  recolour(): void {
    this.grid.recolour();
  }
  key(pressed: KeyboardEvent): boolean {
    if (pressed.key === '/') this.picker.focus();
    else if (pressed.key === 'ArrowLeft') this.move(() => this.timeRange.pan(-0.5));
    else if (pressed.key === 'ArrowRight') this.move(() => this.timeRange.pan(0.5));
    else if (pressed.key === '+' || pressed.key === '=') this.move(() => this.timeRange.zoomIn());
    else if (pressed.key === '-') this.move(() => this.timeRange.zoomOut());
    else if (pressed.key === '0') this.live.click();
    else return false;
    return true;
  }
  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    clearInterval(this.factsTimer);
    clearTimeout(this.again);
    this.grid.close();
  }

  private now(): number {
    return Date.now() / 1000 + this.offset;
  }

  // Changes the range of time; the browser's Back button undoes it.
  private move(change: () => void): void {
    change();
    this.updateAddress(false);
    void this.load();
  }

  // Removes the charts of agents that are no longer chosen at once: the reply for the new ones may be late, or fail.
  private choose(next: string[]): void {
    if (this.agents.length === 0 || this.agents.some((one) => !next.includes(one))) {
      ++this.loading;  // replies in flight are for other agents
      this.resolution = this.following = '';
      this.asked.clear();
      this.grid.clear();
      replaceChildren(this.facts);
    }
    this.agents = next;
  }
  private chooseAndLoad(next: string[]): void {
    this.choose(next);
    this.updateAddress(false);
    void this.load();
    void this.loadFacts();
  }
  private async addAgent(): Promise<void> {
    const name = this.picker.value.trim();
    if (name === '') return;
    if (!this.names.includes(name)) await this.loadNames();  // the agent may be new
    if (this.picker.value.trim() !== name) return;
    if (!this.names.includes(name)) {
      this.picker.setCustomValidity(`Unknown agent: ${name}`);
      this.picker.reportValidity();
      return;
    }
    this.picker.value = '';
    this.chooseAndLoad(this.agents.includes(name) ? this.agents : [...this.agents, name].slice(-MOST_AGENTS));
  }

  private updateAddress(replace: boolean): void {
    const metric: Record<string, string> = this.metric === '' ? {} : { metric: this.metric };
    go('agent', { agents: this.agents.join(','), ...this.timeRange.parameters(), ...metric }, replace ? 'replace' : 'push');
    this.controls();
  }
  private controls(): void {
    const without = (name: string) => () => this.chooseAndLoad(this.agents.filter((one) => one !== name));
    replaceChildren(this.chips, ...this.agents.map((name) => el('span', { class: 'chip' }, name, this.agents.length > 1 && el('button', { 'aria-label': `Remove ${name}`, click: without(name) }, '×'))));
    for (const { button, seconds } of this.spans) button.setAttribute('aria-pressed', String(this.timeRange.live && seconds === this.timeRange.span));
    this.live.setAttribute('aria-pressed', String(this.timeRange.live));
  }

  private async load(): Promise<void> {
    const mine = ++this.loading;
    if (this.agents.length === 0) {
      setText(this.info, 'Choose an agent.');
      this.follow('');
      await this.loadNames();
      return;
    }
    const [from, to] = this.timeRange.bounds();
    try {
      const points = Math.max(950, Math.min(1400, window.innerWidth));
      const range = await ask<Range>('/range', { agent: this.agents, metric: this.metric, from: from.toFixed(3), to: (this.timeRange.live ? to + 2 : to).toFixed(3), points });
      if (mine !== this.loading || this.closed) return;
      this.loadedAt = performance.now();
      this.show(range);
      this.follow(range.live_id);
    } catch (error) {
      if (mine !== this.loading || this.closed) return;
      setText(this.info, `The history cannot be read: ${(error as Error).message}`);
      // A retry of a rejected request would be rejected as well.
      if (error instanceof ApiError && error.status < 500) return;
      window.setTimeout(() => { if (mine === this.loading && !this.closed) void this.load(); }, 2000);
    }
  }

  private show(range: Range): void {
    this.resolution = range.resolution;
    const [known, shown] = this.grid.show(range, this.timeRange.live, this.agents.length > 1);
    const points = range.series.reduce((sum, one) => sum + one.times.length, 0);
    const [from, to] = this.timeRange.bounds();
    setText(this.info, range.series.length === 0 ? `No values of ${this.agents.join(', ')} between ${clock(from)} and ${clock(to)}.`
      : `${clock(from)} – ${this.timeRange.live ? 'now' : clock(to)} · ${this.resolution === 'full' ? 'every tick' : `averages of ${this.resolution}`} · ${many(points, 'point')}${shown < known ? ` · ${count(shown)} of ${many(known, 'metric')}` : ''} · drag to zoom, double-click for live`);
  }

  // Reloads once the newest events have reached the history, every 5 s at most.
  private loadSoon(): void {
    if (this.again !== 0 || this.closed) return;
    this.again = window.setTimeout(() => { this.again = 0; if (!this.closed && this.timeRange.live) void this.load(); }, Math.max(1500, 5000 - (performance.now() - this.loadedAt)));
  }

  private follow(after: string): void {
    const topics = this.agents.map((name) => `agent:${name}`);
    const wanted = topics.join() || 'none';
    // Reloading a range does not reopen the stream: duplicate ticks are recognized by their time.
    if (this.following === wanted) return;
    this.following = wanted;
    stream.follow(topics, after, (name, data) => this.event(name, data), () => { this.following = ''; void this.load(); });
  }
  private event(name: string, data: unknown): void {
    if (name !== 'tick' || !this.timeRange.live || this.resolution !== 'full') return;
    const taken = this.grid.take(data as Tick, this.now() - this.timeRange.span * 1.1);
    if (taken.late || this.isNew(taken)) this.loadSoon();
  }
  // A series without a chart is either new or filtered out. Reloads for it at most three times.
  private isNew(taken: Taken): boolean {
    let found = false;
    for (const key of taken.unknown) {
      const times = this.asked.get(key) ?? 0;
      if (this.metric !== '' || times >= 3 || this.asked.size >= MOST_ASKED) continue;
      this.asked.set(key, times + 1);
      found = true;
    }
    return found;
  }

  private tick(): void {
    if (document.hidden || !this.timeRange.live) return;
    this.grid.redraw();
    // Averages come from the history, which adds buckets as time passes.
    if (this.resolution !== 'full' && this.resolution !== '' && performance.now() - this.loadedAt > 10_000) void this.load();
  }

  private async loadNames(): Promise<void> {
    try {
      const fleet = await ask<Fleet>('/fleet');
      this.offset = fleet.now - Date.now() / 1000;
      this.names = fleet.agents.map((one) => one.agent);
      replaceChildren(this.options, ...this.names.slice(0, 2000).map((name) => el('option', { value: name })));
      if (this.agents.length === 0 && this.names.length > 0 && !this.closed) {
        this.grid.clear(el('ul', { class: 'list' }, ...this.names.slice(0, 200).map((name) => el('li', {}, el('a', { href: link('agent', { agents: name }) }, name)))));
      }
    } catch {
      // load() shows the error.
    }
  }

  private async loadFacts(): Promise<void> {
    const mine = this.agents;
    if (mine.length === 0 || this.closed) return;
    try {
      const rows = await factsOf(mine);
      if (this.agents === mine && !this.closed) replaceChildren(this.facts, ...rows);
    } catch {
      // Retried at the next interval.
    }
  }
}

export function agentPage(start: URLSearchParams): Page {
  return new AgentPage(start);
}
