// What needs an operator's attention: agents that never reached the log, and problems that agents report about
// themselves.
import type { AgentRow } from '../lib/api';
import { many } from '../lib/format';
import { link } from '../lib/page';
import { wrongs } from '../lib/problems';

const MOST = 4;

export function AgentLinks({ agent }: { agent: string }) {
  return <span class="links"><a href={link('config', { agent })}>configuration</a> · <a href={link('messages', { agent })}>messages</a> · <a href={link('ledger', { agent })}>ledger</a></span>;
}

export function Problems({ troubled }: { troubled: AgentRow[] }) {
  const some = [...troubled].sort((a, b) => a.agent.localeCompare(b.agent, 'en', { numeric: true })).slice(0, MOST);
  if (some.length === 0) return null;
  return (
    <ul class="wrongs" aria-label="Problems">
      {some.map((row) => <li key={row.agent}><a href={link('agent', { agents: row.agent })}>{row.agent}</a>: <span class="warn">{wrongs(row).join('; ')}</span> <AgentLinks agent={row.agent} /></li>)}
      {troubled.length > some.length && <li class="dim">{many(troubled.length - some.length, 'more agent')} with problems</li>}
    </ul>
  );
}
