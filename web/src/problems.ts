// What needs an operator's attention, above the fleet's table: agents that never reached the log, and problems that
// agents report about themselves.
import { AgentRow } from './api';
import { el, replaceChildren } from './dom';
import { linksOf } from './facts';
import { many } from './format';
import { link } from './page';

const MOST = 4;

export function wrongs(row: AgentRow): string[] {
  return row.seen === null && row.health === 'spooling' ? [row.why, ...row.problems] : row.problems;
}

export class ProblemList {
  readonly element = el('ul', { class: 'wrongs', 'aria-label': 'Problems' });
  private state = '';

  // Shows the first few of them in words; writes only if they changed.
  show(troubled: AgentRow[]): void {
    const some = troubled.sort((a, b) => a.agent.localeCompare(b.agent, 'en', { numeric: true })).slice(0, MOST);
    const state = JSON.stringify([some.map((row) => [row.agent, wrongs(row)]), troubled.length]);
    if (this.state === state) return;
    this.state = state;
    const more = troubled.length - some.length;
    replaceChildren(this.element,
      ...some.map((row) => el('li', {}, el('a', { href: link('agent', { agents: row.agent }) }, row.agent), ': ', el('span', { class: 'warn' }, wrongs(row).join('; ')), ' ', linksOf(row.agent))),
      more > 0 && el('li', { class: 'dim' }, `${many(more, 'more agent')} with problems`));
  }
}
