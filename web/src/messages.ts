// The log: its partitions, the positions of consumer groups, and decoded messages.
import { ask } from './api';
import { debounce, el, replaceChildren, setText, table } from './dom';
import { clock, count, many } from './format';
import { go, Page } from './page';
import { stream } from './stream';

interface Log {
  log: string;
  partitions: { partition: number; begin: number; end: number; records: number }[];
  groups: { group: string; partition: number; next: number; lag: number }[];
  groups_error: string;
}
interface Message {
  partition: number; offset: number; time: number; key: string; bytes: number; headers: Record<string, string>;
  agent?: string; sequence?: number; ticks?: number; points?: number; batch?: unknown; error?: string; too_large?: boolean;
}
interface Answer { messages: Message[]; looked_at: number; cursor: string | null }

const MOST_ROWS = 500;
const AT_ONCE = 40;
const PAGE = 50;
const FIELDS = ['agent', 'metric', 'since', 'until', 'partition', 'offset'] as const;
const HINTS: Record<(typeof FIELDS)[number], string> = {
  agent: 'agent-* ', metric: 'system.cpu.*', since: '-10m, 2026-11-22T12:00:00Z', until: '-5m', partition: 'all', offset: 'newest',
};

export function messages(parameters: URLSearchParams): Page {
  let tail = parameters.get('tail') === '1';
  let cursor: string | null = null;
  let searching = false;
  let asked = 0;
  let closed = false;
  let waiting: Message[] = [];
  let passed = 0;     // messages that arrived faster than rows can be shown
  let stale = false;  // a message arrived whose match only the server can decide
  let refreshed = 0;

  const inputs = new Map<string, HTMLInputElement>();
  const form = el('form', { class: 'tools', submit: (event: Event) => { event.preventDefault(); search(); } } as never);
  for (const name of FIELDS) {
    const input = el('input', { name, placeholder: HINTS[name], value: parameters.get(name) ?? '', autocomplete: 'off', class: `in-${name}` });
    inputs.set(name, input);
    input.addEventListener('input', debounce(500, () => search()));
    form.append(el('label', {}, name, input));
  }
  const tailButton = el('button', { type: 'button', 'aria-pressed': String(tail), title: 'Tail  t', click: () => { tail = !tail; tailButton.setAttribute('aria-pressed', String(tail)); search(); } }, 'Tail');
  form.append(tailButton);
  const log = el('div', { class: 'log' });
  const info = el('p', { class: 'dim info', role: 'status' });
  const body = el('tbody');
  const more = el('button', { click: () => { if (searching) stop(); else void load(cursor); } }, 'Older messages');
  const list = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Messages' }, el('table', { class: 'messages' }, el('caption', {}, 'Messages'),
    el('thead', {}, el('tr', {}, ...['Time', 'Part.', 'Offset', 'Key', 'Sequence', 'Ticks', 'Points', 'Bytes'].map((h, i) => el('th', { scope: 'col', class: i > 0 && i !== 3 ? 'num' : '' }, h)))), body));
  const element = el('section', { class: 'page' }, el('h1', {}, 'Messages'), log, form, info, list, more);

  function wanted(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [name, input] of inputs) if (input.value.trim() !== '') found[name] = input.value.trim();
    return found;
  }

  function rows(message: Message): HTMLElement[] {
    const detail = el('tr', { class: 'detail', hidden: true }, el('td', { colspan: 8 }));
    const toggle = el('button', { class: 'plain', 'aria-expanded': 'false', 'aria-label': `Message ${message.offset} of partition ${message.partition}`, click: () => {
      detail.hidden = !detail.hidden;
      toggle.setAttribute('aria-expanded', String(!detail.hidden));
      if (!detail.hidden) void open(message, detail.firstChild as HTMLElement);
    } }, clock(message.time, true));
    const numbers = [message.partition, message.offset];
    const line = el('tr', { 'data-offset': message.offset, 'data-partition': message.partition, class: message.error !== undefined ? 'bad' : '' },
      el('td', {}, toggle), ...numbers.map((n) => el('td', { class: 'num' }, n)), el('td', {}, message.key),
      ...[message.sequence, message.ticks, message.points, message.bytes].map((n) => el('td', { class: 'num' }, n === undefined ? '–' : count(n))));
    return [line, detail];
  }

  async function open(message: Message, cell: HTMLElement): Promise<void> {
    let whole = message;
    if (message.batch === undefined && message.error === undefined) {
      try {
        const answer = await ask<Answer>('/messages', { partition: message.partition, offset: message.offset, limit: 1 });
        whole = answer.messages[0] ?? message;
      } catch (error) {
        replaceChildren(cell, (error as Error).message);
        return;
      }
    }
    replaceChildren(cell, el('dl', { class: 'headers' }, ...Object.entries(whole.headers ?? {}).flatMap(([name, v]) => [el('dt', {}, name), el('dd', {}, v)])),
      el('pre', { tabindex: 0 }, whole.error ?? (whole.too_large === true ? 'too large to show' : JSON.stringify(whole.batch, null, 2))));
  }

  // Each reply covers a part of the log. Continues until a page is full or the log is exhausted.
  async function load(from: string | null): Promise<void> {
    const mine = ++asked;
    let found = 0;
    let looked = 0;
    cursor = from;
    setSearching(true);
    try {
      do {
        const answer = await ask<Answer>('/messages', { ...wanted(), cursor: cursor ?? undefined, limit: PAGE - found });
        if (mine !== asked || closed) return;
        if (from === null && looked === 0) body.replaceChildren();
        for (const message of answer.messages) body.append(...rows(message));
        found += answer.messages.length;
        looked += answer.looked_at;
        cursor = answer.cursor;
        showProgress(looked, cursor !== null && found < PAGE);
      } while (cursor !== null && found < PAGE);
    } catch (error) {
      if (mine === asked && !closed) setText(info, (error as Error).message);
    }
    if (mine === asked) setSearching(false);
  }
  function stop(): void {
    ++asked;
    setSearching(false);
    setText(info, `${info.textContent?.replace('; searching', '')}; stopped`);
  }
  function setSearching(on: boolean): void {
    searching = on;
    setText(more, on ? 'Stop' : 'Older messages');
    more.hidden = cursor === null;
  }
  function showProgress(looked: number, goesOn: boolean): void {
    const shown = body.children.length / 2;
    setText(info, (shown === 0 ? `No message matches (${count(looked)} examined)` : `${many(shown, 'message')}, newest first`) + (goesOn ? `${shown === 0 ? '' : ` (${count(looked)} examined)`}; searching` : shown === 0 ? '.' : ''));
    more.hidden = cursor === null;
  }

  function search(): void {
    go('messages', tail ? { ...wanted(), tail: '1' } : wanted(), 'replace');
    waiting = [];
    passed = 0;
    stale = false;
    void load(null);
    stream.follow(tail ? ['messages'] : [], '', event, () => void load(null));
  }

  // Messages arrive as fast as the log grows, so rows are added only four times a second.
  function event(name: string, data: unknown): void {
    if (name !== 'message' || !tail) return;
    const message = data as Message;
    const { agent, partition, metric, since, until, offset } = wanted();
    if ((metric ?? since ?? until ?? offset) !== undefined) {
      stale = true;
      return;
    }
    if (agent !== undefined && !pattern(agent).test(message.key)) return;
    if (partition !== undefined && Number(partition) !== message.partition) return;
    waiting.push(message);
    if (waiting.length > MOST_ROWS) waiting.splice(0, waiting.length - MOST_ROWS);
  }
  const timer = window.setInterval(() => {
    if (stale && performance.now() - refreshed > 1000) void refresh();
    if (waiting.length === 0) return;
    const fresh = waiting.splice(-AT_ONCE);
    passed += waiting.length;
    waiting = [];
    prepend(fresh);
  }, 250);

  function prepend(fresh: Message[]): void {
    for (const message of fresh) {
      if (body.querySelector(`[data-offset="${message.offset}"][data-partition="${message.partition}"]`) === null) body.prepend(...rows(message));
    }
    while (body.children.length > MOST_ROWS * 2) body.lastChild?.remove();
    setText(info, `${many(body.children.length / 2, 'message')}, newest first; following${passed > 0 ? `; ${count(passed)} skipped: too many to show` : ''}`);
  }

  // Asks the server which of the newest messages match.
  async function refresh(): Promise<void> {
    stale = false;
    refreshed = performance.now();
    const mine = asked;
    try {
      const answer = await ask<Answer>('/messages', { ...wanted(), limit: AT_ONCE });
      if (mine === asked && !closed && tail) prepend(answer.messages.reverse());
    } catch {
      stale = true;
    }
  }

  function pattern(text: string): RegExp {
    return new RegExp(`^${text.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
  }

  async function loadLog(): Promise<void> {
    try {
      const answer = await ask<Log>('/log');
      const groups = [...new Set(answer.groups.map((one) => one.group))];
      replaceChildren(log, el('p', { class: 'dim' }, answer.log),
        el('div', { class: 'pair' },
          table('Partitions', [['Partition', 'num'], ['First', 'num'], ['End', 'num'], ['Messages', 'num']],
            answer.partitions.map((one) => [one.partition, one.begin, one.end, count(one.records)])),
          table('Groups', ['Group', ['Partitions', 'num'], ['Lag', 'num']], groups.length === 0 ? [[el('span', { class: 'dim' }, 'no consumer groups'), '', '']] : groups.map((name) => {
            const mine = answer.groups.filter((one) => one.group === name);
            return [name, mine.length, count(mine.reduce((sum, one) => sum + one.lag, 0))];
          }))),
        answer.groups_error !== '' && el('p', { class: 'warn' }, answer.groups_error));
    } catch (error) {
      replaceChildren(log, el('p', { class: 'warn' }, (error as Error).message));
    }
  }
  const logTimer = window.setInterval(() => { if (!document.hidden) void loadLog(); }, 3000);

  void loadLog();
  search();
  return {
    element,
    key: (pressed) => {
      if (pressed.key === '/') inputs.get('agent')?.focus();
      else if (pressed.key === 't') tailButton.click();
      else return false;
      return true;
    },
    close: () => { closed = true; clearInterval(timer); clearInterval(logTimer); },
  };
}
