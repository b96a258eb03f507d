// Charts of one agent, or of several beside one another: live, or any time that the history has.
import { ApiError, ask, Fleet, Range, Tick } from './api';
import { ChartGrid, Taken } from './chart_grid';
import { debounce, el, fill, say } from './dom';
import { factsOf } from './facts';
import { clock, count } from './format';
import { go, link, Page } from './page';
import { stream } from './stream';
import { TimeRange } from './time_range';

const SPANS: [string, number][] = [['5 min', 300], ['15 min', 900], ['1 h', 3600], ['6 h', 21600], ['24 h', 86400], ['7 d', 604800], ['30 d', 2592000]];
const MOST_AGENTS = 20;
const MOST_ASKED = 10_000;

class AgentPage implements Page {
  readonly element: HTMLElement;
  private agents: string[] = [];
  private metric = '';
  private names: string[] = [];
  private offset = 0;  // of the server's clock to ours, s
  private resolution = '';
  private following = '';  // the topics of the stream
  private loading = 0;
  private loadedAt = 0;
  private again = 0;
  private closed = false;
  private readonly asked = new Map<string, number>();  // series that ticks have and no chart
  private readonly time = new TimeRange(() => this.now());
  private readonly grid = new ChartGrid(() => this.time.bounds(), (from, to) => this.move(() => { this.time.window = [from, to]; }), () => this.move(() => this.time.goLive()));

  private readonly chips = el('div', { class: 'chips' });
  private readonly options = el('datalist', { id: 'agent-names' });
  private readonly picker = el('input', { list: 'agent-names', placeholder: 'Add an agent  /', 'aria-label': 'Add an agent' });
  private readonly metricBox = el('input', { type: 'search', placeholder: 'Metrics, as system.cpu.*', 'aria-label': 'Metrics' });
  private readonly live = el('button', { click: () => this.move(() => this.time.goLive()) }, 'Live');
  private readonly spans = SPANS.map(([label, seconds]) => ({ seconds, button: el('button', { click: () => this.move(() => this.time.goLive(seconds)) }, label) }));
  private readonly info = el('p', { class: 'dim info', role: 'status' });
  private readonly facts = el('div', { class: 'facts' });
  private readonly timer = window.setInterval(() => this.tick(), 1000);
  private readonly factsTimer = window.setInterval(() => { if (!document.hidden) void this.loadFacts(); }, 2000);

  constructor(start: URLSearchParams) {
    const button = (label: string, title: string, text: string, change: () => void) => el('button', { 'aria-label': label, title, click: () => this.move(change) }, text);
    this.element = el('section', { class: 'agent' }, el('h1', { class: 'visually-hidden' }, 'Agent'),
      el('div', { class: 'tools' }, this.chips, this.picker, this.options, this.metricBox,
        el('div', { class: 'group' }, button('Earlier', 'Earlier  ←', '‹', () => this.time.pan(-0.5)), button('Zoom in', 'Zoom in  +', '+', () => this.time.zoom(0.5)),
          button('Zoom out', 'Zoom out  -', '−', () => this.time.zoom(2)), button('Later', 'Later  →', '›', () => this.time.pan(0.5))),
        el('div', { class: 'group', role: 'group', 'aria-label': 'Time' }, ...this.spans.map((one) => one.button)), this.live),
      this.facts, this.info, this.grid.element);
    this.picker.addEventListener('change', () => void this.addAgent());
    this.picker.addEventListener('keydown', (pressed) => { if (pressed.key === 'Enter') void this.addAgent(); });
    this.picker.addEventListener('input', () => this.picker.setCustomValidity(''));
    this.metricBox.addEventListener('input', debounce(400, () => { this.metric = this.metricBox.value.trim(); this.remember(true); void this.load(); }));
    this.update(start);
    window.setTimeout(() => void this.loadNames(), this.agents.length === 0 ? 0 : 500);
  }

  update(parameters: URLSearchParams): void {
    this.choose((parameters.get('agents') ?? '').split(',').filter((one) => one !== '').slice(0, MOST_AGENTS));
    this.time.read(parameters);
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
    else if (pressed.key === 'ArrowLeft') this.move(() => this.time.pan(-0.5));
    else if (pressed.key === 'ArrowRight') this.move(() => this.time.pan(0.5));
    else if (pressed.key === '+' || pressed.key === '=') this.move(() => this.time.zoom(0.5));
    else if (pressed.key === '-') this.move(() => this.time.zoom(2));
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

  // Another time is shown; the browser's Back undoes it.
  private move(change: () => void): void {
    change();
    this.remember(false);
    void this.load();
  }

  // What was shown of an agent that is no longer chosen is taken away at once: the answer about the next one may come
  // late, or not at all.
  private choose(next: string[]): void {
    if (this.agents.length === 0 || this.agents.some((one) => !next.includes(one))) {
      ++this.loading;  // an answer that is under way is about others
      this.resolution = this.following = '';
      this.asked.clear();
      this.grid.clear();
      fill(this.facts);
    }
    this.agents = next;
  }
  private chooseAndLoad(next: string[]): void {
    this.choose(next);
    this.remember(false);
    void this.load();
    void this.loadFacts();
  }
  private async addAgent(): Promise<void> {
    const name = this.picker.value.trim();
    if (name === '') return;
    if (!this.names.includes(name)) await this.loadNames();  // it may have come since
    if (this.picker.value.trim() !== name) return;
    if (!this.names.includes(name)) {
      this.picker.setCustomValidity(`No agent ${name} is known.`);
      this.picker.reportValidity();
      return;
    }
    this.picker.value = '';
    this.chooseAndLoad(this.agents.includes(name) ? this.agents : [...this.agents, name].slice(-MOST_AGENTS));
  }

  private remember(replace: boolean): void {
    const metric: Record<string, string> = this.metric === '' ? {} : { metric: this.metric };
    go('agent', { agents: this.agents.join(','), ...this.time.parameters(), ...metric }, replace ? 'replace' : 'push');
    this.controls();
  }
  private controls(): void {
    const without = (name: string) => () => this.chooseAndLoad(this.agents.filter((one) => one !== name));
    fill(this.chips, ...this.agents.map((name) => el('span', { class: 'chip' }, name, this.agents.length > 1 && el('button', { 'aria-label': `Remove ${name}`, click: without(name) }, '×'))));
    for (const { button, seconds } of this.spans) button.setAttribute('aria-pressed', String(this.time.live && seconds === this.time.span));
    this.live.setAttribute('aria-pressed', String(this.time.live));
  }

  private async load(): Promise<void> {
    const mine = ++this.loading;
    if (this.agents.length === 0) {
      say(this.info, 'Choose an agent.');
      this.follow('');
      await this.loadNames();
      return;
    }
    const [from, to] = this.time.bounds();
    try {
      const points = Math.max(950, Math.min(1400, window.innerWidth));
      const range = await ask<Range>('/range', { agent: this.agents, metric: this.metric, from: from.toFixed(3), to: (this.time.live ? to + 2 : to).toFixed(3), points });
      if (mine !== this.loading || this.closed) return;
      this.loadedAt = performance.now();
      this.show(range);
      this.follow(range.live_id);
    } catch (error) {
      if (mine !== this.loading || this.closed) return;
      say(this.info, `The history cannot be read: ${(error as Error).message}`);
      // What is refused now would be refused again.
      if (error instanceof ApiError && error.status < 500) return;
      window.setTimeout(() => { if (mine === this.loading && !this.closed) void this.load(); }, 2000);
    }
  }

  private show(range: Range): void {
    this.resolution = range.resolution;
    const [known, shown] = this.grid.show(range, this.time.live, this.agents.length > 1);
    const points = range.series.reduce((sum, one) => sum + one.times.length, 0);
    const [from, to] = this.time.bounds();
    say(this.info, range.series.length === 0 ? `Nothing is known of ${this.agents.join(', ')} between ${clock(from)} and ${clock(to)}.`
      : `${clock(from)} – ${this.time.live ? 'now' : clock(to)} · ${this.resolution === 'full' ? 'every tick' : `averages of ${this.resolution}`} · ${count(points)} points${shown < known ? ` · ${shown} of ${known} metrics` : ''} · drag to zoom, double-click for live`);
  }

  // Once what was just told is in the history, and not often.
  private loadSoon(): void {
    if (this.again !== 0 || this.closed) return;
    this.again = window.setTimeout(() => { this.again = 0; if (!this.closed && this.time.live) void this.load(); }, Math.max(1500, 5000 - (performance.now() - this.loadedAt)));
  }

  private follow(after: string): void {
    const topics = this.agents.map((name) => `agent:${name}`);
    const wanted = topics.join() || 'none';
    // A range that was read anew needs no new stream: what came meanwhile is told apart by its time.
    if (this.following === wanted) return;
    this.following = wanted;
    stream.follow(topics, after, (name, data) => this.event(name, data), () => { this.following = ''; void this.load(); });
  }
  private event(name: string, data: unknown): void {
    if (name !== 'tick' || !this.time.live || this.resolution !== 'full') return;
    const taken = this.grid.take(data as Tick, this.now() - this.time.span * 1.1);
    if (taken.late || this.isNew(taken)) this.loadSoon();
  }
  // A series without a chart is new, or not shown: it is asked for a few times, not for ever.
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
    if (document.hidden || !this.time.live) return;
    this.grid.redraw();
    // Averages come from the history: a bucket is shown when it is written.
    if (this.resolution !== 'full' && this.resolution !== '' && performance.now() - this.loadedAt > 10_000) void this.load();
  }

  private async loadNames(): Promise<void> {
    try {
      const fleet = await ask<Fleet>('/fleet');
      this.offset = fleet.now - Date.now() / 1000;
      this.names = fleet.agents.map((one) => one.agent);
      fill(this.options, ...this.names.slice(0, 2000).map((name) => el('option', { value: name })));
      if (this.agents.length === 0 && this.names.length > 0 && !this.closed) {
        this.grid.clear(el('ul', { class: 'list' }, ...this.names.slice(0, 200).map((name) => el('li', {}, el('a', { href: link('agent', { agents: name }) }, name)))));
      }
    } catch {
      // The range says what is wrong.
    }
  }

  private async loadFacts(): Promise<void> {
    const mine = this.agents;
    if (mine.length === 0 || this.closed) return;
    try {
      const rows = await factsOf(mine);
      if (this.agents === mine && !this.closed) fill(this.facts, ...rows);
    } catch {
      // Next time.
    }
  }
}

export function agentPage(start: URLSearchParams): Page {
  return new AgentPage(start);
}
