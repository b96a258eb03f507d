// When rollouts of configuration began and ended, for pages that show what happened. Knows nothing of the DOM.
import type { Get } from '../lib/api';

export type Rollouts = Get<'/api/ui/v1/rollouts'>;
type Run = Pick<Rollouts['rollouts'][number]['past'][number], 'author' | 'started' | 'ended' | 'state' | 'reason' | 'message'>;
export interface Group extends Run { group: string; past: Run[] }
export interface RolloutEvent { at: number; group: string; text: string; failed: boolean }

const ENDS: Partial<Record<Run['state'], string>> = { done: 'is done', failed: 'failed', aborted: 'was aborted' };
const more = (text: string) => (text === '' ? '' : `: ${text}`);

// Of the last and the earlier rollouts of each group, oldest first.
export function rolloutEvents(rollouts: Group[]): RolloutEvent[] {
  return rollouts.flatMap((last) => [last, ...last.past].flatMap((one): RolloutEvent[] => {
    const { group } = last;
    const begun = { at: one.started, group, text: `rollout of ${group} began, by ${one.author}${more(one.message)}`, failed: false };
    const end = ENDS[one.state];
    return one.ended === null || end === undefined ? [begun] : [begun, { at: one.ended, group, text: `rollout of ${group} ${end}${one.state === 'done' ? '' : more(one.reason)}`, failed: one.state !== 'done' }];
  })).sort((a, b) => a.at - b.at);
}
