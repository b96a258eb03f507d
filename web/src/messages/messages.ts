// The messages of the log: a search of them, which can follow the log. Above them, the log itself.
import { ask } from '../lib/api';
import { debounce, el, setText } from '../lib/dom';
import { count, many } from '../lib/format';
import { LogSummary } from './log_summary';
import { Answer, Message, MessageRows } from './message_rows';
import { MessageTail } from './message_tail';
import { go, Page } from '../lib/page';
import { stream } from '../lib/stream';

const PAGE = 50;
const FIELDS = ['agent', 'metric', 'since', 'until', 'partition', 'offset'] as const;
const HINTS: Record<(typeof FIELDS)[number], string> = {
  agent: 'agent-* ', metric: 'system.cpu.*', since: '-10m, 2026-11-22T12:00:00Z', until: '-5m', partition: 'all', offset: 'newest',
};

// What is searched for, and whether the page follows the log.
class SearchForm {
  readonly element: HTMLElement;
  readonly tailButton: HTMLElement;
  tail: boolean;
  private readonly inputs = new Map<string, HTMLInputElement>();

  constructor(parameters: URLSearchParams, search: () => void) {
    this.tail = parameters.get('tail') === '1';
    this.element = el('form', { class: 'tools', submit: (event: Event) => { event.preventDefault(); search(); } } as never);
    for (const name of FIELDS) {
      const input = el('input', { name, placeholder: HINTS[name], value: parameters.get(name) ?? '', autocomplete: 'off', class: `in-${name}` });
      this.inputs.set(name, input);
      input.addEventListener('input', debounce(500, search));
      this.element.append(el('label', {}, name, input));
    }
    this.tailButton = el('button', { type: 'button', 'aria-pressed': String(this.tail), title: 'Tail  t', click: () => {
      this.tail = !this.tail;
      this.tailButton.setAttribute('aria-pressed', String(this.tail));
      search();
    } }, 'Tail');
    this.element.append(this.tailButton);
  }

  wanted(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [name, input] of this.inputs) if (input.value.trim() !== '') found[name] = input.value.trim();
    return found;
  }

  focus(): void {
    this.inputs.get('agent')?.focus();
  }
}

class Messages implements Page {
  readonly element: HTMLElement;
  private readonly form: SearchForm;
  private readonly log = new LogSummary();
  private readonly rows = new MessageRows();
  private readonly tail = new MessageTail((fresh) => this.prepend(fresh), (most) => this.refresh(most));
  private readonly info = el('p', { class: 'dim info', role: 'status' });
  private readonly more = el('button', { click: () => { if (this.searching) this.stop(); else void this.load(this.cursor); } }, 'Older messages');
  private cursor: string | null = null;
  private searching = false;
  private asked = 0;
  private closed = false;

  constructor(parameters: URLSearchParams) {
    this.form = new SearchForm(parameters, () => this.search());
    this.element = el('section', { class: 'page' }, el('h1', {}, 'Messages'), this.log.element, this.form.element, this.info, this.rows.element, this.more);
    this.search();
  }

  key(pressed: KeyboardEvent): boolean {
    if (pressed.key === '/') this.form.focus();
    else if (pressed.key === 't') this.form.tailButton.click();
    else return false;
    return true;
  }

  close(): void {
    this.closed = true;
    this.tail.close();
    this.log.close();
  }

  private search(): void {
    const wanted = this.form.wanted();
    go('messages', this.form.tail ? { ...wanted, tail: '1' } : wanted, 'replace');
    this.tail.reset();
    void this.load(null);
    stream.follow(this.form.tail ? ['messages'] : [], '', (name, data) => this.onEvent(name, data), () => void this.load(null));
  }

  private onEvent(name: string, data: unknown): void {
    if (name === 'message' && this.form.tail) this.tail.take(data as Message, this.form.wanted());
  }

  // Each reply covers a part of the log. Continues until a page is full or the log is exhausted.
  private async load(from: string | null): Promise<void> {
    const mine = ++this.asked;
    let found = 0;
    let looked = 0;
    this.cursor = from;
    this.setSearching(true);
    try {
      do {
        const answer = await ask<Answer>('/messages', { ...this.form.wanted(), cursor: this.cursor ?? undefined, limit: PAGE - found });
        if (mine !== this.asked || this.closed) return;
        if (from === null && looked === 0) this.rows.clear();
        this.rows.append(answer.messages);
        found += answer.messages.length;
        looked += answer.looked_at;
        this.cursor = answer.cursor;
        this.showProgress(looked, this.cursor !== null && found < PAGE);
      } while (this.cursor !== null && found < PAGE);
    } catch (error) {
      if (mine === this.asked && !this.closed) setText(this.info, (error as Error).message);
    }
    if (mine === this.asked) this.setSearching(false);
  }

  private stop(): void {
    ++this.asked;
    this.setSearching(false);
    setText(this.info, `${this.info.textContent?.replace('; searching', '')}; stopped`);
  }

  private setSearching(on: boolean): void {
    this.searching = on;
    setText(this.more, on ? 'Stop' : 'Older messages');
    this.more.hidden = this.cursor === null;
  }

  private showProgress(looked: number, goesOn: boolean): void {
    const shown = this.rows.shown;
    setText(this.info, (shown === 0 ? `No message matches (${count(looked)} examined)` : `${many(shown, 'message')}, newest first`) + (goesOn ? `${shown === 0 ? '' : ` (${count(looked)} examined)`}; searching` : shown === 0 ? '.' : ''));
    this.more.hidden = this.cursor === null;
  }

  private prepend(fresh: Message[]): void {
    this.rows.prepend(fresh);
    const { passed } = this.tail;
    setText(this.info, `${many(this.rows.shown, 'message')}, newest first; following${passed > 0 ? `; ${count(passed)} skipped: too many to show` : ''}`);
  }

  private async refresh(most: number): Promise<void> {
    const mine = this.asked;
    const answer = await ask<Answer>('/messages', { ...this.form.wanted(), limit: most });
    if (mine === this.asked && !this.closed && this.form.tail) this.prepend(answer.messages.reverse());
  }
}

export function messages(parameters: URLSearchParams): Page {
  return new Messages(parameters);
}
