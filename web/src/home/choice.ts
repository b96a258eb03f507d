// What the user has chosen to see of the fleet. The page's address holds it.
import type { Health } from '../lib/api';
import { HEALTHS } from '../lib/api';
import type { Choice } from '../state/fleet_model';

export const VIEWS = ['cards', 'table', 'map'] as const;
export type View = (typeof VIEWS)[number];
export const MOST_CARDS = 36;  // beyond, the table is the better start

export interface HomeChoice extends Choice {
  view: View | null;  // null: by the size of the fleet
  group: string;      // a label's name, or empty
  by: string;         // what the map shows: a figure or the name of a metric
}

export function choiceOf(parameters: URLSearchParams): HomeChoice {
  const view = VIEWS.find((one) => one === parameters.get('view')) ?? null;
  const state = parameters.get('state');
  const only: Health | 'problems' | null = state === 'problems' ? 'problems' : HEALTHS.find((one) => one === state) ?? null;
  return { order: parameters.get('sort') ?? 'agent', down: parameters.get('order') === 'down', only, text: parameters.get('filter') ?? '', view, group: parameters.get('group') ?? '', by: parameters.get('by') ?? 'cpu' };
}

// The form for the address: only what differs from the start.
export function parametersOf(choice: HomeChoice): Record<string, string> {
  const out: Record<string, string> = {};
  if (choice.view !== null) out['view'] = choice.view;
  if (choice.order !== 'agent') out['sort'] = choice.order;
  if (choice.down) out['order'] = 'down';
  if (choice.only !== null) out['state'] = choice.only;
  if (choice.text !== '') out['filter'] = choice.text;
  if (choice.group !== '') out['group'] = choice.group;
  if (choice.by !== 'cpu') out['by'] = choice.by;
  return out;
}

export function viewOf(choice: HomeChoice, agents: number): View {
  return choice.view ?? (agents <= MOST_CARDS ? 'cards' : 'table');
}
