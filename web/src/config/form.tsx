// The document as a form that is made from the schema. It changes the same text as the editor.
import { Loading, Skeleton } from '../ui/states';
import { setIn } from './edit';
import { Field } from './field';
import { agentOf } from './layers';
import type { ConfigModel } from './model';
import { fieldsOf } from './schema';

export function Form({ model, json }: { model: ConfigModel; json: () => void }) {
  const schema = model.schema.value;
  const { root, faults } = model.scanned.value;
  if (schema === null) return <Loading what="the schema"><Skeleton shape="row" many={4} /></Loading>;
  if (faults.length > 0 || root?.kind !== 'object') {
    return <p class="warn" role="alert">The text is not a JSON object, and no form can show it: {faults[0]?.message ?? 'expected {'}. <button class="plain" onClick={json}>Mend it in the editor</button></p>;
  }
  const document = root.value as Record<string, unknown>;
  const fields = fieldsOf(schema, agentOf(model.key.value) !== '');
  const unknown = Object.keys(document).filter((name) => name !== 'expires_at' && !fields.some(([one]) => one === name));
  const set = (path: string[], value: unknown) => model.edit(setIn(model.text.value, path, value));
  return (
    <form class="config-form" onSubmit={(event) => event.preventDefault()}>
      {fields.map(([name, one]) => <Field key={name} model={model} path={[name]} schema={one} value={document[name]} set={set} />)}
      {unknown.length > 0 && <p class="warn">Not known here: {unknown.join(', ')}. <button type="button" class="plain" onClick={json}>See them in the editor</button></p>}
    </form>
  );
}
