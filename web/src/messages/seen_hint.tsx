// Where the newest message of an agent is, while a search of the whole log has not found it: an agent that is gone can have
// sent its last one days ago.
import { useState } from 'preact/hooks';
import { ask, type Fleet } from '../lib/api';
import { age, clock } from '../lib/format';
import { useEffect } from '../ui/effect';

// Less than this, and the search is there first.
export const WORTH_IT = 60;  // seconds

export function SeenHint({ agent, look }: { agent: string; look: (at: number) => void }) {
  const [seen, setSeen] = useState<number | null>(null);
  useEffect(() => {
    let over = false;
    // All agents, because the key may be no agent's, and the search goes on without an answer.
    ask<Fleet>('/fleet').then(({ agents }) => { if (!over) setSeen(agents.find((row) => row.agent === agent)?.seen ?? null); }, () => undefined);
    return () => { over = true; };
  }, [agent]);
  const ago = seen === null ? 0 : Date.now() / 1000 - seen;
  if (seen === null || ago < WORTH_IT) return null;
  return <p class="not-there seen-hint">The newest message of {agent} was stored {age(ago)} ago. <button class="plain" onClick={() => look(seen)}>Go to {clock(seen)}</button></p>;
}
