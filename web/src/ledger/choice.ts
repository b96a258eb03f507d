// What the user has chosen to see of the ledger. The page's address holds it.
import type { Order } from './columns';
import type { Unit } from './run';

export interface LedgerChoice extends Order {
  agent: string;   // shell pattern; empty: all
  unit: Unit;
  reason: string;  // a key of the picture; empty: all
  run: string;     // the opened run
}

export function choiceOf(parameters: URLSearchParams): LedgerChoice {
  return {
    agent: parameters.get('agent') ?? '', unit: parameters.get('unit') === 'batches' ? 'batches' : 'points', reason: parameters.get('reason') ?? '',
    run: parameters.get('run') ?? '', key: parameters.get('sort') ?? '', down: parameters.get('order') === 'down',
  };
}

export function parametersOf(choice: LedgerChoice): Record<string, string> {
  const out: Record<string, string> = {};
  if (choice.agent !== '') out['agent'] = choice.agent;
  if (choice.unit !== 'points') out['unit'] = choice.unit;
  if (choice.reason !== '') out['reason'] = choice.reason;
  if (choice.key !== '') out['sort'] = choice.key;
  if (choice.key !== '' && choice.down) out['order'] = 'down';
  if (choice.run !== '') out['run'] = choice.run;
  return out;
}
