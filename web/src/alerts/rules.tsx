// The rules that are evaluated, and how they are.
import { useState } from 'preact/hooks';
import { age } from '../lib/format';
import { link } from '../lib/page';
import { useEffect } from '../ui/effect';

interface Rule { name: string; query: string; state?: string; duration?: number; health: string; lastError?: string; type: string; evaluationTime: number; alerts?: unknown[] }
interface Group { name: string; file: string; interval: number; rules: Rule[] }

const at = (group: Group, rule: Rule) => ({ file: group.file, group: group.name, rule: rule.name });
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
      <div class="tools"><h2>Rules</h2><span class="grow" /><a class="button" href={link('rule')}>New rule</a></div>
      {rows.length === 0 && <p class="dim">No rules are evaluated. Write one here, or start the page's server with <code>--rules FILE</code>.</p>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Rules"><table class="rules">
          <caption>Rules</caption>
          <thead><tr><th scope="col">State</th><th scope="col">Rule</th><th scope="col">Group</th><th scope="col">Expression</th><th scope="col" class="num">For</th><th scope="col" class="num">Every</th><th scope="col"><span class="visually-hidden">Test</span></th></tr></thead>
          <tbody>{rows.map(({ group, rule }) => (
            <tr key={`${group.file} ${group.name} ${rule.name} ${rule.query}`}>
              <td><span class={`pill is-${rule.health === 'err' ? 'firing' : rule.state ?? 'inactive'}`}>{rule.health === 'err' ? 'error' : rule.state ?? rule.type}</span></td>
              <td><a href={link('rule', at(group, rule))}>{rule.name}</a>{rule.lastError !== undefined && rule.lastError !== '' && <p class="warn">{rule.lastError}</p>}</td>
              <td>{group.name}</td><td><code>{rule.query}</code></td>
              <td class="num">{rule.duration === undefined || rule.duration === 0 ? '' : age(rule.duration)}</td><td class="num">{age(group.interval)}</td>
              <td>{rule.type === 'alerting' && <a class="test-link" href={link('rule', { ...at(group, rule), test: '604800' })} title="What it would have done last week">Last week</a>}</td>
            </tr>
          ))}</tbody>
        </table></div>
      )}
    </section>
  );
}
