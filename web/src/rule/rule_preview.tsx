// How an alert would read: its annotations with the values of a test, or with the newest ones.
import { clock } from '../lib/format';
import type { Replay } from './rule_api';
import type { RuleModel } from './rule_model';
import { namesOf } from './replay';

const MOST = 3;

function One({ found, name }: { found: Replay['alerts'][number]; name: string }) {
  return (
    <li>
      <strong>{name}</strong> <span class="dim">value {found.value}{found.fired !== null && ` · ${clock(found.fired)}`}</span>
      <dl>{Object.entries(found.annotations).map(([key, text]) => <div key={key}><dt>{key}</dt><dd class={text.startsWith('<error') ? 'warn' : ''}>{text}</dd></div>)}</dl>
    </li>
  );
}

export function Preview({ model }: { model: RuleModel }) {
  const { result } = model.test.value;
  const fired = (result?.alerts ?? []).filter((one) => one.fired !== null).slice(-MOST).reverse();
  const shown = fired.length > 0 ? fired : model.preview.value.slice(0, MOST);
  if (shown.length === 0 || Object.keys(shown[0]!.annotations).length === 0) return null;
  const names = namesOf(shown.map(({ labels }) => labels));
  return (
    <section class="rule-preview" aria-label="Preview">
      <h2>How it reads</h2>
      <p class="dim">{fired.length > 0 ? 'The last alerts of the test.' : 'With the newest values, whether the rule would fire or not.'}</p>
      <ul>{shown.map((one, i) => <One key={JSON.stringify([one.labels, one.active])} found={one} name={names[i]!} />)}</ul>
    </section>
  );
}
