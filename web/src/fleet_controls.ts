// What the user chooses in the fleet's table: states, the text to filter by, the column to sort by. The choice is also
// in the page's address.
import { Health, HEALTHS } from './api';
import { el, setText } from './dom';
import { Choice, Chosen, COLUMNS } from './fleet_model';
import { go } from './page';

export class FleetControls {
  readonly head = el('div', { class: 'fleet-head fleet-row', role: 'row' });
  readonly filter = el('input', { type: 'search', placeholder: 'Filter agents, hosts, labels  /', 'aria-label': 'Filter agents, hosts and labels' });
  readonly chips = el('div', { class: 'chips', role: 'group', 'aria-label': 'States' });
  private readonly chipButtons = new Map<Health, { button: HTMLElement; number: HTMLElement }>();
  private readonly problemNumber = el('b', {}, '0');
  private readonly problemChip: HTMLElement;
  private readonly heads = new Map<string, HTMLElement>();
  private order: string;
  private down: boolean;
  private only: Health | 'problems' | null;

  constructor(parameters: URLSearchParams, private readonly changed: (filtered: boolean) => void) {
    this.order = parameters.get('sort') ?? 'agent';
    this.down = parameters.get('order') === 'down';
    this.only = parameters.get('state') as Health | 'problems' | null;
    this.filter.value = parameters.get('filter') ?? '';
    this.filter.addEventListener('input', () => this.apply(true));
    for (const health of HEALTHS) this.addChip(health);
    this.problemChip = el('button', { class: 'chip problems', 'aria-pressed': 'false', hidden: true, click: () => this.toggle('problems') }, '⚠ ', this.problemNumber, ' with problems');
    this.chips.append(this.problemChip);
    for (const column of COLUMNS) {
      if (column.head === '') this.head.append(el('div', { role: 'columnheader', class: column.class, 'aria-label': 'past 5 min' }));
      else this.addHead(column.key, column.head, column.class);
    }
  }

  choice(): Choice {
    return { order: this.order, down: this.down, only: this.only, text: this.filter.value };
  }

  show({ counts, troubled }: Chosen): void {
    for (const [health, { button, number }] of this.chipButtons) {
      setText(number, String(counts.get(health) ?? 0));
      button.setAttribute('aria-pressed', String(this.only === health));
    }
    setText(this.problemNumber, String(troubled.length));
    this.problemChip.hidden = troubled.length === 0 && this.only !== 'problems';
    this.problemChip.setAttribute('aria-pressed', String(this.only === 'problems'));
    for (const [key, cell] of this.heads) {
      cell.setAttribute('aria-sort', key === this.order ? (this.down ? 'descending' : 'ascending') : 'none');
    }
  }

  private addChip(health: Health): void {
    const number = el('b', {}, '0');
    const button = el('button', { class: `chip ${health}`, 'aria-pressed': 'false', click: () => this.toggle(health) }, el('i', { class: 'dot' }), number, ` ${health}`);
    this.chipButtons.set(health, { button, number });
    this.chips.append(button);
  }

  private addHead(key: string, head: string, kind: string): void {
    const cell = el('div', { role: 'columnheader', class: kind }, el('button', { class: 'sort', click: () => this.sortBy(key) }, head));
    this.heads.set(key, cell);
    this.head.append(cell);
  }

  private toggle(state: Health | 'problems'): void {
    this.only = this.only === state ? null : state;
    this.apply();
  }

  private sortBy(key: string): void {
    this.down = this.order === key ? !this.down : !['agent', 'host'].includes(key);
    this.order = key;
    this.apply();
  }

  private apply(filtered = false): void {
    const wanted: Record<string, string> = {};
    if (this.order !== 'agent') wanted['sort'] = this.order;
    if (this.down) wanted['order'] = 'down';
    if (this.only !== null) wanted['state'] = this.only;
    if (this.filter.value !== '') wanted['filter'] = this.filter.value;
    go('overview', wanted, 'replace');
    this.changed(filtered);
  }
}
