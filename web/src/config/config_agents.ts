// The revision that each agent runs, and the effective values of one of them.
import { ask, Problem } from '../lib/api';
import { el, replaceChildren, table } from '../lib/dom';
import { age } from '../lib/format';
import { link } from '../lib/page';

export interface ConfigRow { agent: string; state: string; applied: number; wanted: number; seen: number; error: string | null; warning: string | null; version: string | null; groups: string[] | null; overrides: string[] | null }
interface Explained { agent: string; valid: boolean; problems: Problem[]; layers: { key: string; revision: number }[]; values: { path: string; value: unknown; key: string | null; revision: number }[] }

export class ConfigAgents {
  readonly element = el('div', {});
  readonly explained = el('div', { class: 'explained' });

  show(rows: ConfigRow[]): void {
    const now = Date.now() / 1000;
    replaceChildren(this.element, table('Applied configurations', ['Agent', 'State', ['Applied', 'num'], ['Wanted', 'num'], 'Groups', 'Overrides', ['Seen', 'num'], 'Error, warning'],
      rows.map((row) => [el('button', { class: 'plain', click: () => void this.explain(row.agent) }, row.agent), el('span', { class: `state is-${row.state}` }, row.state), row.applied, row.wanted,
        (row.groups ?? []).join(', '), (row.overrides ?? []).join(', '), row.seen === 0 ? '–' : age(now - row.seen), [row.error, row.warning].filter((text) => text).join('; ')])));
  }

  fail(error: Error): void {
    replaceChildren(this.element, el('p', { class: 'warn' }, `The configuration cannot be read: ${error.message}`));
  }

  async explain(agent: string): Promise<void> {
    try {
      const answer = await ask<Explained>('/config/explain', { agent });
      replaceChildren(this.explained, el('h2', {}, `Effective configuration of ${agent}`), el('p', {}, el('a', { href: link('agent', { agents: agent }) }, 'charts')),
        ...answer.problems.map((one) => el('p', { class: one.warning ? 'dim' : 'warn' }, one.text)),
        el('p', { class: 'dim' }, `layers, lowest first: ${answer.layers.map((one) => one.key).join(' < ') || 'built-in defaults only'}`),
        table('Values', ['Field', 'Value', 'From'], answer.values.map((one) => [one.path, JSON.stringify(one.value), one.key === null ? 'built-in default' : one.revision !== 0 ? `${one.key} revision ${one.revision}` : one.key])));
      this.explained.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      replaceChildren(this.explained, el('p', { class: 'warn' }, (error as Error).message));
    }
  }
}
