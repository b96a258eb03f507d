// The rules that are evaluated, and how they are.
import { useEffect, useState } from 'preact/hooks';
import { age } from '../lib/format';

interface Rule { name: string; query: string; state?: string; duration?: number; health: string; lastError?: string; type: string; evaluationTime: number; alerts?: unknown[] }
interface Group { name: string; file: string; interval: number; rules: Rule[] }

const STATES = ['firing', 'pending', 'inactive'];

export function Rules() {
  const [groups, setGroups] = useState<Group[] | null>(null);
  useEffect(() => {
    fetch('/api/v1/rules', { cache: 'no-store' }).then((response) => response.json() as Promise<{ data?: { groups: Group[] } }>).then((given) => setGroups(given.data?.groups ?? []), () => setGroups([]));
  }, []);
  if (groups === null) return null;
  const order = ({ rule }: { rule: Rule }) => (rule.health === 'err' ? 0 : 1 + STATES.indexOf(rule.state ?? 'inactive'));
  const rows = groups.flatMap((group) => group.rules.map((rule) => ({ group, rule }))).sort((a, b) => order(a) - order(b));
  return (
    <section aria-label="Rules">
      <h2>Rules</h2>
      {rows.length === 0 && <p class="dim">No rules are evaluated. Start the page's server with <code>--rules FILE</code>, or store rules with <code>monitor-analysis rules put</code>.</p>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Rules"><table class="rules">
          <caption>Rules</caption>
          <thead><tr><th scope="col">State</th><th scope="col">Rule</th><th scope="col">Group</th><th scope="col">Expression</th><th scope="col" class="num">For</th><th scope="col" class="num">Every</th></tr></thead>
          <tbody>{rows.map(({ group, rule }) => (
            <tr key={`${group.file} ${group.name} ${rule.name} ${rule.query}`}>
              <td><span class={`pill is-${rule.health === 'err' ? 'firing' : rule.state ?? 'inactive'}`}>{rule.health === 'err' ? 'error' : rule.state ?? rule.type}</span></td>
              <td>{rule.name}{rule.lastError !== undefined && rule.lastError !== '' && <p class="warn">{rule.lastError}</p>}</td>
              <td>{group.name}</td><td><code>{rule.query}</code></td>
              <td class="num">{rule.duration === undefined || rule.duration === 0 ? '' : age(rule.duration)}</td><td class="num">{age(group.interval)}</td>
            </tr>
          ))}</tbody>
        </table></div>
      )}
    </section>
  );
}
