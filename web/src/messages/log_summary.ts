// The log: its partitions, and the positions of consumer groups.
import { ask } from '../lib/api';
import { el, replaceChildren, table } from '../lib/dom';
import { count } from '../lib/format';

interface Log {
  log: string;
  partitions: { partition: number; begin: number; end: number; records: number }[];
  groups: { group: string; partition: number; next: number; lag: number }[];
  groups_error: string;
}

export class LogSummary {
  readonly element = el('div', { class: 'log' });
  private readonly timer: number;

  constructor() {
    this.timer = window.setInterval(() => { if (!document.hidden) void this.load(); }, 3000);
    void this.load();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async load(): Promise<void> {
    try {
      this.show(await ask<Log>('/log'));
    } catch (error) {
      replaceChildren(this.element, el('p', { class: 'warn' }, (error as Error).message));
    }
  }

  private show(log: Log): void {
    const groups = [...new Set(log.groups.map((one) => one.group))];
    replaceChildren(this.element, el('p', { class: 'dim' }, log.log),
      el('div', { class: 'pair' },
        table('Partitions', [['Partition', 'num'], ['First', 'num'], ['End', 'num'], ['Messages', 'num']],
          log.partitions.map((one) => [one.partition, one.begin, one.end, count(one.records)])),
        table('Groups', ['Group', ['Partitions', 'num'], ['Lag', 'num']], groups.length === 0 ? [[el('span', { class: 'dim' }, 'no consumer groups'), '', '']] : groups.map((name) => {
          const mine = log.groups.filter((one) => one.group === name);
          return [name, mine.length, count(mine.reduce((sum, one) => sum + one.lag, 0))];
        }))),
      log.groups_error !== '' && el('p', { class: 'warn' }, log.groups_error));
  }
}
