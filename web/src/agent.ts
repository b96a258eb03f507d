// Charts of one agent, or of several beside one another: live, or any time that the history has.
import { AgentRow, ApiError, ask, Fleet, Range, Series, Tick } from './api';
import { Chart, Line, lineOf, MOST_LINES } from './charts';
import { debounce, el, fill, say } from './dom';
import { age, clock, seriesName, value } from './format';
import { go, Page } from './page';
import { stream } from './stream';

const SPANS: [string, number][] = [['5 min', 300], ['15 min', 900], ['1 h', 3600], ['6 h', 21600], ['24 h', 86400], ['7 d', 604800], ['30 d', 2592000]];
const FIRST = ['system.cpu.utilization', 'system.memory.utilization', 'system.disk.io.rate', 'system.network.io.rate', 'system.memory.usage', 'system.cpu.load_average'];
const FIGURES = ['CPU', 'Memory', 'Disk read', 'Disk write', 'Net in', 'Net out'];
const MOST_AGENTS = 20;
const MOST_FACTS = 6;
const MOST_CHARTS = 60;
const MOST_ASKED = 10_000;

interface Panel { chart: Chart; lines: Line[]; element: HTMLElement; caption: HTMLElement; seen: boolean; dirty: boolean }

function rank(metric: string): number {
  const at = FIRST.findIndex((one) => metric.startsWith(one));
  return at < 0 ? FIRST.length : at;
}

function has(times: number[], wanted: number): boolean {
  let at = times.length - 1;
  while (at >= 0 && times[at]! > wanted + 1e-5) --at;
  return at >= 0 && times[at]! > wanted - 1e-5;
}

// What an agent says of itself, in a line.
async function fact(name: string): Promise<HTMLElement> {
  let row: AgentRow;
  try {
    row = await ask<AgentRow>(`/agents/${encodeURIComponent(name)}`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return el('div', { class: 'fact', 'data-agent': name }, el('b', {}, name), el('span', { class: 'warn' }, error.message));
  }
  return el('div', { class: `fact is-${row.health}`, 'data-agent': row.agent },
    el('span', { class: 'state', title: row.why }, el('i', { class: 'dot' }), row.health),
    el('b', {}, row.agent), el('span', { class: 'dim' }, row.host), el('span', { class: 'dim' }, `v${row.version}`),
    el('span', { class: 'dim' }, `revision ${row.revision}`),
    row.interval !== null && el('span', { class: 'dim' }, `every ${age(row.interval)}`),
    row.clock_error !== 0 && el('span', { class: 'warn' }, `clock ${age(Math.abs(row.clock_error))} ${row.clock_error > 0 ? 'ahead' : 'behind'}: shown at the log's time`),
    row.other_host !== '' && el('span', { class: 'warn' }, `another host, ${row.other_host}, uses this name`),
    row.why !== '' && el('span', { class: 'warn' }, row.why),
    ...row.figures.map((v, i) => v !== null && el('span', { class: 'figure', 'data-figure': FIGURES[i]!, 'data-value': v }, `${FIGURES[i]} `, el('b', {}, value(i < 2 ? '1' : 'By/s', i < 2 ? 'utilization' : '', v)))));
}

export function agentPage(start: URLSearchParams): Page {
  let agents: string[] = [];
  let span = 900;
  let window_: [number, number] | null = null;  // null: live, the last `span` seconds
  let metric = '';
  let resolution = '';
  let names: string[] = [];
  let offset = 0;  // of the server's clock to ours, s
  let panels = new Map<string, Panel>();
  let byKey = new Map<string, { panel: Panel; line: Line }>();
  let loading = 0;
  let loadedAt = 0;
  let closed = false;
  let following = '';  // the topics of the stream
  const asked = new Map<string, number>();  // series that ticks have and no chart

  const chips = el('div', { class: 'chips' });
  const options = el('datalist', { id: 'agent-names' });
  const picker = el('input', { list: 'agent-names', placeholder: 'Add an agent  /', 'aria-label': 'Add an agent' });
  const metricBox = el('input', { type: 'search', placeholder: 'Metrics, as system.cpu.*', 'aria-label': 'Metrics' });
  const spans = el('div', { class: 'group', role: 'group', 'aria-label': 'Time' });
  const live = el('button', { click: () => { window_ = null; remember(); void load(); } }, 'Live');
  const back = el('button', { 'aria-label': 'Earlier', title: 'Earlier  ←', click: () => pan(-0.5) }, '‹');
  const on = el('button', { 'aria-label': 'Later', title: 'Later  →', click: () => pan(0.5) }, '›');
  const nearer = el('button', { 'aria-label': 'Zoom in', title: 'Zoom in  +', click: () => zoom(0.5) }, '+');
  const wider = el('button', { 'aria-label': 'Zoom out', title: 'Zoom out  -', click: () => zoom(2) }, '−');
  const info = el('p', { class: 'dim info', role: 'status' });
  const facts = el('div', { class: 'facts' });
  const grid = el('div', { class: 'charts' });
  const element = el('section', { class: 'agent' }, el('h1', { class: 'visually-hidden' }, 'Agent'),
    el('div', { class: 'tools' }, chips, picker, options, metricBox, el('div', { class: 'group' }, back, nearer, wider, on), spans, live),
    facts, info, grid);
  const spanButtons = SPANS.map(([label, seconds]) => {
    const button = el('button', { click: () => { span = seconds; window_ = null; remember(); void load(); } }, label);
    spans.append(button);
    return { button, seconds };
  });

  const now = () => Date.now() / 1000 + offset;
  const bounds = (): [number, number] => window_ ?? [now() - span, now()];

  // What was shown of an agent that is no longer chosen is taken away at once: the answer about the next one may come late,
  // or not at all.
  function choose(next: string[]): void {
    if (agents.length === 0 || agents.some((one) => !next.includes(one))) clear();
    agents = next;
  }
  function clear(): void {
    ++loading;  // an answer that is under way is about others
    for (const panel of panels.values()) {
      sight.unobserve(panel.element);
      panel.chart.close();
    }
    panels = new Map();
    byKey = new Map();
    asked.clear();
    resolution = following = '';
    fill(facts);
    fill(grid);
  }

  function read(parameters: URLSearchParams): void {
    choose((parameters.get('agents') ?? '').split(',').filter((one) => one !== '').slice(0, MOST_AGENTS));
    span = Number(parameters.get('span') ?? 900) || 900;
    metric = parameters.get('metric') ?? '';
    metricBox.value = metric;
    const from = Number(parameters.get('from'));
    const to = Number(parameters.get('to'));
    window_ = from > 0 && to > from ? [from, to] : null;
  }

  function remember(): void {
    const wanted: Record<string, string> = { agents: agents.join(',') };
    if (window_ !== null) {
      wanted['from'] = window_[0].toFixed(3);
      wanted['to'] = window_[1].toFixed(3);
    } else if (span !== 900) wanted['span'] = String(span);
    if (metric !== '') wanted['metric'] = metric;
    go('agent', wanted, true);
    controls();
  }

  function controls(): void {
    fill(chips, ...agents.map((name) => el('span', { class: 'chip' }, name, agents.length > 1 && el('button', { 'aria-label': `Remove ${name}`, click: () => { choose(agents.filter((one) => one !== name)); remember(); void load(); void loadFacts(); } }, '×'))));
    for (const { button, seconds } of spanButtons) button.setAttribute('aria-pressed', String(window_ === null && seconds === span));
    live.setAttribute('aria-pressed', String(window_ === null));
  }

  function addAgent(): void {
    const name = picker.value.trim();
    if (!names.includes(name)) return;
    picker.value = '';
    if (!agents.includes(name)) choose([...agents, name].slice(-MOST_AGENTS));
    remember();
    void load();
    void loadFacts();
  }
  picker.addEventListener('change', addAgent);
  picker.addEventListener('keydown', (pressed) => { if (pressed.key === 'Enter') addAgent(); });
  metricBox.addEventListener('input', debounce(400, () => { metric = metricBox.value.trim(); remember(); void load(); }));

  function pan(by: number): void {
    const [from, to] = bounds();
    const shift = (to - from) * by;
    window_ = to + shift >= now() ? null : [from + shift, to + shift];
    if (window_ === null) span = Math.round(to - from);
    remember();
    void load();
  }
  function zoom(by: number): void {
    const [from, to] = bounds();
    const width = Math.max((to - from) * by, 5);
    if (window_ === null) span = Math.round(width);
    else window_ = [(from + to) / 2 - width / 2, Math.min((from + to) / 2 + width / 2, now())];
    remember();
    void load();
  }

  const sight = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const panel = [...panels.values()].find((one) => one.element === entry.target);
      if (panel === undefined) continue;
      panel.seen = entry.isIntersecting;
      if (panel.seen) panel.dirty = true;
    }
    schedule();
  }, { rootMargin: '100px' });
  const resized = new ResizeObserver(() => { for (const panel of panels.values()) panel.chart.resize(); });
  resized.observe(grid);

  // Charts are drawn one in a frame: a screen full of them at once would hold everything up.
  let frame = 0;
  function schedule(): void {
    if (frame !== 0 || closed) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      const next = [...panels.values()].find((one) => one.dirty && one.seen);
      if (next === undefined) return;
      next.dirty = false;
      const [from, to] = bounds();
      next.chart.draw(next.lines, from, to);
      if ([...panels.values()].some((one) => one.dirty && one.seen)) schedule();
    });
  }
  function redraw(): void {
    for (const panel of panels.values()) panel.dirty = true;
    schedule();
  }

  function label(series: Series): string {
    const labels = Object.values(series.labels).join(' ');
    return [agents.length > 1 ? series.agent : '', labels].filter((one) => one !== '').join(' ') || series.metric.split('.').pop() || series.metric;
  }

  // Ticks that came while the range was on its way are in the lines of before alone.
  function goOn(line: Line, before: Line | undefined): Line {
    if (before === undefined) return line;
    const last = line.times[line.times.length - 1] ?? 0;
    let at = before.times.length;
    while (at > 0 && before.times[at - 1]! > last + 1e-5) --at;
    line.times.push(...before.times.slice(at));
    line.values.push(...before.values.slice(at));
    return line;
  }

  function show(range: Range): void {
    const goesOn = window_ === null && resolution === 'full' && range.resolution === 'full';
    const linesBefore = byKey;
    resolution = range.resolution;
    const groups = new Map<string, Series[]>();
    for (const series of range.series) {
      const list = groups.get(series.metric) ?? [];
      list.push(series);
      groups.set(series.metric, list);
    }
    const order = [...groups.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).slice(0, MOST_CHARTS);
    const before = panels;
    const same = order.length === before.size && order.every((one) => before.has(one));
    panels = new Map();
    byKey = new Map();
    for (const name of order) {
      const list = groups.get(name)!;
      let panel = before.get(name);
      if (panel === undefined) {
        const host = el('div', { class: 'plot' });
        const caption = el('figcaption', {});
        const figure = el('figure', { class: 'panel', 'data-metric': name }, caption, host);
        panel = { lines: [], element: figure, caption, seen: false, dirty: true,
          chart: new Chart(host, list[0]!.unit, name, (from, to) => { window_ = [from, to]; remember(); void load(); }, () => { window_ = null; remember(); void load(); }) };
        sight.observe(figure);
      }
      say(panel.caption, list.length > MOST_LINES ? `${name} · ${MOST_LINES} of ${list.length} lines` : name);
      panel.lines = list.map((series) => {
        const line = lineOf(series, label(series), `${series.agent} ${seriesName(series.metric, series.labels)}`);
        return goesOn ? goOn(line, linesBefore.get(line.key)?.line) : line;
      });
      for (const line of panel.lines) byKey.set(line.key, { panel, line });
      panel.dirty = true;
      panels.set(name, panel);
    }
    for (const [name, panel] of before) {
      if (panels.has(name)) continue;
      sight.unobserve(panel.element);
      panel.chart.close();
    }
    if (!same) grid.replaceChildren(...[...panels.values()].map((panel) => panel.element));
    const points = range.series.reduce((sum, one) => sum + one.times.length, 0);
    const [from, to] = bounds();
    say(info, range.series.length === 0 ? `Nothing is known of ${agents.join(', ')} between ${clock(from)} and ${clock(to)}.`
      : `${clock(from)} – ${window_ === null ? 'now' : clock(to)} · ${resolution === 'full' ? 'every tick' : `averages of ${resolution}`} · ${points.toLocaleString('en')} points${order.length < groups.size ? ` · ${order.length} of ${groups.size} metrics` : ''} · drag to zoom, double-click for live`);
    schedule();
  }

  async function load(): Promise<void> {
    const mine = ++loading;
    if (agents.length === 0) {
      say(info, 'Choose an agent.');
      controls();
      follow('');
      await loadNames();
      return;
    }
    const [from, to] = bounds();
    try {
      const points = Math.max(950, Math.min(1400, window.innerWidth));
      const range = await ask<Range>('/range', { agent: agents, metric, from: from.toFixed(3), to: (window_ === null ? to + 2 : to).toFixed(3), points });
      if (mine !== loading || closed) return;
      loadedAt = performance.now();
      show(range);
      follow(range.live_id);
    } catch (error) {
      if (mine !== loading || closed) return;
      say(info, `The history cannot be read: ${(error as Error).message}`);
      // What is refused now would be refused again.
      if (error instanceof ApiError && error.status < 500) return;
      window.setTimeout(() => { if (mine === loading && !closed) void load(); }, 2000);
    }
  }

  let again = 0;
  // Once what was just told is in the history, and not often.
  function loadSoon(): void {
    if (again !== 0 || closed) return;
    again = window.setTimeout(() => { again = 0; if (!closed && window_ === null) void load(); }, Math.max(1500, 5000 - (performance.now() - loadedAt)));
  }

  function follow(after: string): void {
    const topics = agents.map((name) => `agent:${name}`);
    // A range that was read anew needs no new stream: what came meanwhile is told apart by its time.
    const wanted = topics.join() || 'none';
    if (following === wanted) return;
    following = wanted;
    stream.follow(topics, after, event, () => { following = ''; void load(); });
  }

  function event(_: string, data: unknown): void {
    if (_ !== 'tick') return;
    const tick = data as Tick;
    if (window_ !== null || resolution !== 'full') return;
    const oldest = now() - span * 1.1;
    for (const [name, v] of Object.entries(tick.values)) {
      const found = byKey.get(`${tick.agent} ${name}`);
      if (found === undefined) {
        // New, or one that is not shown: it is asked for a few times, not for ever.
        const key = `${tick.agent} ${name}`;
        const times = asked.get(key) ?? 0;
        if (metric === '' && times < 3 && asked.size < MOST_ASKED) {
          asked.set(key, times + 1);
          loadSoon();
        }
        continue;
      }
      const { line, panel } = found;
      const last = line.times[line.times.length - 1];
      if (last !== undefined && tick.time <= last + 1e-5) {
        // Late, as out of a spool: its place is in the history.
        if (tick.time > oldest && !has(line.times, tick.time)) loadSoon();
        continue;
      }
      line.times.push(tick.time);
      line.values.push(v);
      if (line.times.length > 64 && line.times[32]! < oldest) {
        line.times.splice(0, 32);
        line.values.splice(0, 32);
      }
      panel.dirty = true;
    }
    schedule();
  }

  async function loadNames(): Promise<void> {
    try {
      const fleet = await ask<Fleet>('/fleet');
      offset = fleet.now - Date.now() / 1000;
      names = fleet.agents.map((one) => one.agent);
      fill(options, ...names.slice(0, 2000).map((name) => el('option', { value: name })));
      if (agents.length === 0 && names.length > 0 && element.isConnected) {
        fill(grid, el('ul', { class: 'list' }, ...names.slice(0, 200).map((name) => el('li', {}, el('a', { href: `#/agent?agents=${encodeURIComponent(name)}` }, name)))));
      }
    } catch {
      // The range says what is wrong.
    }
  }

  async function loadFacts(): Promise<void> {
    const mine = agents;
    if (mine.length === 0 || closed) return;
    try {
      const rows = await Promise.all(mine.slice(0, MOST_FACTS).map(fact));
      if (agents === mine && !closed) fill(facts, ...rows);
    } catch {
      // Next time.
    }
  }

  const timer = window.setInterval(() => {
    if (document.hidden || window_ !== null) return;
    redraw();
    // Averages come from the history: a bucket is shown when it is written.
    if (resolution !== 'full' && resolution !== '' && performance.now() - loadedAt > 10_000) void load();
  }, 1000);
  const factsTimer = window.setInterval(() => { if (!document.hidden) void loadFacts(); }, 2000);

  read(start);
  controls();
  void load();
  void loadFacts();
  window.setTimeout(() => void loadNames(), agents.length === 0 ? 0 : 500);
  return {
    element,
    recolour: () => { for (const panel of panels.values()) panel.chart.close(); redraw(); },
    update: (parameters) => { read(parameters); following = ''; controls(); void load(); void loadFacts(); },
    key: (pressed) => {
      if (pressed.key === '/') picker.focus();
      else if (pressed.key === 'ArrowLeft') pan(-0.5);
      else if (pressed.key === 'ArrowRight') pan(0.5);
      else if (pressed.key === '+' || pressed.key === '=') zoom(0.5);
      else if (pressed.key === '-') zoom(2);
      else if (pressed.key === '0') live.click();
      else return false;
      return true;
    },
    close: () => {
      closed = true;
      clearInterval(timer);
      clearInterval(factsTimer);
      clearTimeout(again);
      if (frame !== 0) cancelAnimationFrame(frame);
      sight.disconnect();
      resized.disconnect();
      for (const panel of panels.values()) panel.chart.close();
    },
  };
}
