// The table of messages, newest first. Each has a detail row, whose content is asked for when it is opened.
import { ask } from '../lib/api';
import { el, replaceChildren } from '../lib/dom';
import { clock, count } from '../lib/format';

export interface Message {
  partition: number; offset: number; time: number; key: string; bytes: number; headers: Record<string, string>;
  agent?: string; sequence?: number; ticks?: number; points?: number; batch?: unknown; error?: string; too_large?: boolean;
}
export interface Answer { messages: Message[]; looked_at: number; cursor: string | null }

const MOST_ROWS = 500;
const HEADS = ['Time', 'Part.', 'Offset', 'Key', 'Sequence', 'Ticks', 'Points', 'Bytes'];

export class MessageRows {
  readonly element: HTMLElement;
  private readonly body = el('tbody');

  constructor() {
    const heads = HEADS.map((head, i) => el('th', { scope: 'col', class: i > 0 && i !== 3 ? 'num' : '' }, head));
    this.element = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Messages' },
      el('table', { class: 'messages' }, el('caption', {}, 'Messages'), el('thead', {}, el('tr', {}, ...heads)), this.body));
  }

  get shown(): number {
    return this.body.children.length / 2;
  }

  clear(): void {
    this.body.replaceChildren();
  }

  append(messages: Message[]): void {
    for (const message of messages) this.body.append(...rowsOf(message));
  }

  // Adds the messages that are not there yet, and removes the oldest ones beyond the limit.
  prepend(fresh: Message[]): void {
    for (const message of fresh) {
      if (this.body.querySelector(`[data-offset="${message.offset}"][data-partition="${message.partition}"]`) === null) this.body.prepend(...rowsOf(message));
    }
    while (this.shown > MOST_ROWS) this.body.lastChild?.remove();
  }
}

function rowsOf(message: Message): HTMLElement[] {
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
