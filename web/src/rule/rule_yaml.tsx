// The whole file as YAML, and what the server finds in it.
import { useRef, useState } from 'preact/hooks';
import { useEffect } from '../ui/effect';
import { Skeleton } from '../ui/states';
import type { RuleModel } from './rule_model';
import type { YamlEditor } from './yaml_editor';

export function RuleYaml({ model }: { model: RuleModel }) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<YamlEditor | null>(null);
  const [ready, setReady] = useState(false);
  const text = model.text.value;
  const checked = model.checked.value;
  useEffect(() => {
    let over = false;
    void import('./yaml_editor').then(({ createYamlEditor }) => {
      if (over) return;
      editor.current = createYamlEditor(place.current!, model.text.value, (next) => model.write(next));
      setReady(true);
    });
    return () => {
      over = true;
      editor.current?.close();
    };
  }, []);
  useEffect(() => { if (editor.current !== null && editor.current.text() !== text) editor.current.set(text); }, [text, ready]);
  useEffect(() => { if (checked !== null) editor.current?.mark(checked.problems); }, [checked, ready]);
  return <div ref={place} class="yaml-place">{!ready && <Skeleton shape="row" many={4} />}</div>;
}

export function Problems({ model }: { model: RuleModel }) {
  const checked = model.checked.value;
  if (model.checkFault.value !== '') return <p class="warn" role="alert">{model.checkFault.value}</p>;
  if (checked === null) return <p class="dim rule-verdict" role="status">Checking…</p>;
  const rules = checked.groups.reduce((sum, group) => sum + group.rules.length, 0);
  return (
    <div class="rule-verdict" role="status">
      {checked.valid && <p class="good">{rules === 1 ? 'The rule is' : `All ${rules} rules are`} valid{checked.problems.length > 0 ? ', but:' : checked.compared ? ', and there are series for what it asks.' : '.'}</p>}
      {checked.problems.length > 0 && <ul>{checked.problems.map((one) => <li key={`${one.line}:${one.column} ${one.text}`} class={one.warning ? 'is-warning' : 'warn'}><span class="dim">{one.line}:{one.column}</span> {one.text}</li>)}</ul>}
    </div>
  );
}
