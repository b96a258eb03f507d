// The form of one rule.
import { QueryField } from '../explore/query_field';
import { Icon } from '../ui/icon';
import type { Problem } from './rule_api';
import type { RuleModel } from './rule_model';
import type { Pair } from './rule_text';

const AT = /^(\w+): (?:(\w[\w.]*): the template: )?(?:at (\d+):(\d+): )?/;

// What is wrong with one part of the rule, such as `expr`, or one of its annotations.
export function problemOf(problems: Problem[], part: string, name = ''): { text: string; at: { line: number; column: number } | null } {
  for (const { text } of problems) {
    const found = AT.exec(text);
    if (found === null || found[1] !== part || (found[2] ?? '') !== name) continue;
    return { text: text.slice(found[0].length), at: found[3] === undefined ? null : { line: Number(found[3]), column: Number(found[4]) } };
  }
  return { text: '', at: null };
}

function Fault({ text }: { text: string }) {
  return text === '' ? null : <span class="warn field-fault">{text}</span>;
}

interface PairsProps { title: string; one: string; pairs: Pair[]; long: boolean; fault: (name: string) => string; change: (pairs: Pair[]) => void }

function Pairs({ title, one, pairs, long, fault, change }: PairsProps) {
  const put = (i: number, pair: Pair) => change(pairs.map((old, k) => (k === i ? pair : old)));
  return (
    <fieldset class="pairs"><legend>{title}</legend>
      {pairs.map(([name, value], i) => (
        <div key={i} class="name-value">
          <input value={name} aria-label={`Name of ${one} ${i + 1}`} placeholder="name" spellcheck={false} onInput={(event) => put(i, [event.currentTarget.value, value])} />
          {long
            ? <textarea rows={Math.max(1, value.split('\n').length)} value={value} aria-label={`Text of ${one} ${name}`} onInput={(event) => put(i, [name, event.currentTarget.value])} />
            : <input value={value} aria-label={`Value of ${one} ${name}`} placeholder="value" spellcheck={false} onInput={(event) => put(i, [name, event.currentTarget.value])} />}
          <button type="button" class="quiet square" aria-label={`Remove ${one} ${name}`} onClick={() => change(pairs.filter((_, k) => k !== i))}><Icon name="close" size={12} /></button>
          <Fault text={fault(name)} />
        </div>
      ))}
      <button type="button" class="quiet" onClick={() => change([...pairs, ['', '']])}><Icon name="plus" size={12} />Add {one}</button>
    </fieldset>
  );
}

function Target({ model }: { model: RuleModel }) {
  const stored = model.files.value.filter((one) => one.document !== null);
  const isNew = model.loaded.value === null;
  return (
    <div class="row-of-fields">
      <label>Store in<select value={model.loaded.value?.file ?? ''} onChange={(event) => void model.addTo(event.currentTarget.value)}>
        <option value="">a new file</option>{stored.map((one) => <option key={one.file} value={one.file}>{one.document}</option>)}
      </select></label>
      {isNew && <label>Its name<input class="rule-file" value={model.name.value} placeholder="letters, digits, . _ -" spellcheck={false} onInput={(event) => { model.name.value = event.currentTarget.value.trim(); }} /></label>}
      <label>Group<input value={model.group.value} disabled={!isNew} onInput={(event) => model.setGroup(event.currentTarget.value)} /></label>
    </div>
  );
}

export function RuleForm({ model, isNew, test }: { model: RuleModel; isNew: boolean; test: () => void }) {
  const fields = model.fields.value;
  const problems = model.checked.value?.valid === false ? model.checked.value.problems : [];
  const expr = problemOf(problems, 'expr');
  const fault = (part: string, name = '') => problemOf(problems, part, name).text;
  return (
    <form class="rule-form" onSubmit={(event) => event.preventDefault()}>
      <div class="row-of-fields">
        {isNew && <label>Kind<select value={fields.kind} onChange={(event) => model.edit({ kind: event.currentTarget.value === 'record' ? 'record' : 'alert' })}><option value="alert">alert</option><option value="record">recorded series</option></select></label>}
        <label class="grow">Name<input class="rule-name" value={fields.name} placeholder={fields.kind === 'alert' ? 'HostIsBusy' : 'agent:cpu:avg5m'} spellcheck={false} onInput={(event) => model.edit({ name: event.currentTarget.value.trim() })} /><Fault text={fault('record')} /></label>
      </div>
      <div class="rule-expression"><span class="field-label">Expression</span><QueryField value={fields.expr} fault={expr.text} at={expr.at} label="Expression" run={test} changed={(text) => { if (text !== model.fields.value.expr) model.edit({ expr: text }); }} /><Fault text={expr.text} /></div>
      {fields.kind === 'alert' && (
        <div class="row-of-fields">
          <label>Pending for<input class="rule-for" value={fields.for} placeholder="0s" onInput={(event) => model.edit({ for: event.currentTarget.value })} /><Fault text={fault('for')} /></label>
          <label>Keep firing for<input value={fields.keep} placeholder="0s" onInput={(event) => model.edit({ keep: event.currentTarget.value })} /><Fault text={fault('keep_firing_for')} /></label>
        </div>
      )}
      <Pairs title="Labels" one="label" pairs={fields.labels} long={false} fault={(name) => fault('labels', name)} change={(labels) => model.edit({ labels })} />
      {fields.kind === 'alert' && <Pairs title="Annotations" one="annotation" pairs={fields.annotations} long fault={(name) => fault('annotations', name)} change={(annotations) => model.edit({ annotations })} />}
      {isNew && <Target model={model} />}
    </form>
  );
}
