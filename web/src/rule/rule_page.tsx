// One rule: written with a form or as YAML, checked as one types, tested over the past, and stored.
import { useSignal } from '@preact/signals';
import { useMemo, useRef, useState } from 'preact/hooks';
import { go, link } from '../lib/page';
import { session } from '../lib/session';
import { stream } from '../lib/stream';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { useEffect } from '../ui/effect';
import { Command, Failed } from '../ui/states';
import { RuleForm } from './rule_form';
import { RuleModel, type View } from './rule_model';
import { Preview } from './rule_preview';
import { SaveDialog } from './rule_save';
import { RuleTest, WEEK } from './rule_test';
import { Problems, RuleYaml } from './rule_yaml';

const VIEWS: [View, string][] = [['form', 'Form'], ['yaml', 'YAML']];
const spanOf = (parameters: URLSearchParams) => Number(parameters.get('test')) || 0;

function NotWritten({ model }: { model: RuleModel }) {
  const { place } = model.loaded.value!;
  return (
    <div class="not-written">
      <p>This rule is in the file <code>{place}</code>, which the page does not write. {model.changed ? 'Copy the text, and put it there: the server takes it within a second.' : 'Change it here to test other values, and copy the text then.'}</p>
      {model.changed && <Command text={model.text.value} />}
    </div>
  );
}

interface SaveProps { model: RuleModel; isNew: boolean; save: (text: string) => void }

function Save({ model, isNew, save }: SaveProps) {
  const may = session.changes() !== 'no';
  const checked = model.checked.value;
  const unnamed = isNew && model.loaded.value === null && !/^[\w.-]{1,128}$/.test(model.name.value);
  const reason = !may ? 'Changes need the role editor' : checked?.valid !== true ? 'The rule is not valid' : unnamed ? 'The file needs a name' : !isNew && !model.changed ? 'Nothing has changed' : '';
  return (
    <>
      {!isNew && <button disabled={!may || model.at.value === null || model.changed} title={may ? undefined : 'Changes need the role editor'} onClick={() => save(model.withoutRule())}>Delete</button>}
      <button class="main" disabled={reason !== ''} title={reason || undefined} onClick={() => save(model.text.value)}>Store</button>
    </>
  );
}

export default function RulePage({ parameters }: PageProps) {
  const model = useMemo(() => new RuleModel(), []);
  const open = useSignal(false);
  const [stored, setStored] = useState('');
  const [saving, setSaving] = useState('');
  const file = parameters.get('file') ?? '';
  const isNew = file === '';
  const span = spanOf(parameters) || WEEK;
  const view = model.view.value;
  const address = (change: Record<string, string>) => go('rule', { ...Object.fromEntries(parameters), ...change }, 'push');
  const begun = useRef('');  // which rule the model has
  const ruleOf = (next: URLSearchParams) => JSON.stringify(['file', 'group', 'rule', 'q'].map((name) => next.get(name)));
  const begin = async (next: URLSearchParams) => {
    begun.current = ruleOf(next);
    model.reset();
    setStored('');
    if (next.get('file') === null) model.begin(next.get('q') ?? '');
    else if (!await model.open({ file: next.get('file')!, group: next.get('group') ?? '', rule: next.get('rule') ?? '' })) return;
    if (next.get('view') === 'yaml') model.show('yaml');
    if (spanOf(next) > 0) await model.runTest(spanOf(next));
  };
  useEffect(() => {
    void begin(parameters);
    stream.attend();
    const forget = setActions({ unsaved: () => model.changed && model.loaded.value?.document !== null });
    return () => {
      forget();
      model.close();
    };
  }, []);
  useNewParameters(parameters, (next) => {
    if (ruleOf(next) === begun.current) model.show(next.get('view') === 'yaml' ? 'yaml' : 'form');
    else void begin(next);
  });
  const test = (seconds: number) => {
    address({ test: String(seconds) });
    void model.runTest(seconds);
  };
  const show = (next: View) => { if (model.show(next) || next === 'yaml') address({ view: next }); };
  const save = (text: string) => {
    setSaving(text);
    setStored('');
    model.conflict.value = null;
    open.value = true;
  };
  const done = (deleted: boolean) => {
    if (deleted) go('alerts');
    else setStored(`Stored as ${model.loaded.value?.document}. The server evaluates it within a second.`);
  };
  if (model.fault.value !== '') return <Failed what="The rule cannot be opened" why={model.fault.value} />;
  const writable = isNew || model.loaded.value === null || model.loaded.value.document !== null;
  return (
    <section class="rule-page">
      <p class="crumbs"><a href={link('alerts')}>Alerts</a></p>
      <div class="tools"><h1>{isNew ? 'New rule' : model.fields.value.name || parameters.get('rule')}</h1><span class="grow" />
        <div class="segments" role="group" aria-label="How it is written">{VIEWS.map(([id, title]) => <button key={id} aria-pressed={view === id} disabled={id === 'form' && view === 'yaml' && model.checked.value?.valid !== true} onClick={() => show(id)}>{title}</button>)}</div>
        {writable && <Save model={model} isNew={isNew} save={save} />}
      </div>
      <p class="good" role="status">{stored}</p>
      {!writable && <NotWritten model={model} />}
      <div class="rule-columns">
        <div class="rule-written">
          {view === 'form' ? <RuleForm model={model} isNew={isNew} test={() => test(span)} /> : <RuleYaml model={model} />}
          <Problems model={model} />
        </div>
        <Preview model={model} />
      </div>
      <RuleTest model={model} span={span} run={test} />
      <SaveDialog model={model} text={saving} open={open} done={done} />
    </section>
  );
}
