// One field of the form: its control, where its value comes from, and what it means.
import type { Problem } from '../lib/api';
import { Choice, Json, Pairs, Scalar, Texts, type ControlProps } from './controls';
import { Entries } from './entries';
import { hiddenBy, inherited } from './form_value';
import { BUILT_IN } from './layers';
import type { ConfigModel } from './model';
import { partsOf, shapeOf, textOf, titleOf, type Schema } from './schema';

export function Control(props: ControlProps) {
  switch (shapeOf(props.schema)) {
    case 'choice':
    case 'switch': return <Choice {...props} />;
    case 'scalar': return <Scalar {...props} />;
    case 'texts': return <Texts {...props} />;
    case 'map': return <Pairs {...props} />;
    case 'entries': return <Entries {...props} />;
    default: return <Json {...props} />;
  }
}

interface Props { model: ConfigModel; path: string[]; schema: Schema; value: unknown; set: (path: string[], value: unknown) => void }

const brief = (value: unknown) => {
  const text = Array.isArray(value) ? value.map((one) => textOf(one)).join(', ') : textOf(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

function Notes({ below, isSet, hidden, problems }: { below: { value: unknown; from: string } | null; isSet: boolean; hidden: string; problems: Problem[] }) {
  return (
    <>
      {problems.map((one) => <p key={one.text} class={one.warning ? 'dim' : 'warn'}>{one.message}{one.known !== '' && `; did you mean "${one.known}"?`}</p>)}
      {!isSet && <p class="origin">{below === null ? 'Not set.' : <>{below.value === undefined ? '' : <b>{brief(below.value) || 'none'}</b>}{below.from === BUILT_IN ? ', built in' : ` from ${below.from}`}</>}</p>}
      {isSet && hidden !== '' && <p class="origin is-hidden">No effect now: {hidden} has another value.</p>}
    </>
  );
}

export function Field({ model, path, schema, value, set }: Props) {
  const id = `field-${path.join('-')}`;
  const { text, bounds } = partsOf(schema.description);
  const readOnly = model.readOnly.value;
  const isSet = value !== undefined;
  if (shapeOf(schema) === 'object') {
    const parts = (value ?? {}) as Record<string, unknown>;
    return (
      <fieldset class="field-group"><legend>{titleOf(path.at(-1)!)}</legend>
        {Object.entries(schema.properties ?? {}).map(([name, one]) => <Field key={name} model={model} path={[...path, name]} schema={one} value={parts[name]} set={set} />)}
      </fieldset>
    );
  }
  const explained = model.facts.explained.value;
  const below = inherited(explained, model.key.value, path, schema);
  const pointer = `/${path.join('/')}`;
  const problems = model.problems.value.filter((one) => one.path === pointer || one.path.startsWith(`${pointer}/`));
  return (
    <div class={`field${isSet ? ' is-set' : ''}${problems.some((one) => !one.warning) ? ' is-wrong' : ''}`} data-field={path.join('.')}>
      <div class="field-head">
        <label id={`${id}-label`} for={id}>{titleOf(path.at(-1)!)}</label><code class="dim">{path.join('.')}</code>
        {isSet && !readOnly && <button type="button" class="plain" onClick={() => set(path, undefined)}>Inherit instead<span class="visually-hidden"> of {path.join('.')}</span></button>}
      </div>
      <Control id={id} schema={schema} value={value} fallback={below?.value ?? schema.default} readOnly={readOnly} set={(next) => set(path, next)} />
      <Notes below={below} isSet={isSet} hidden={isSet && model.untouched.value === model.text.value ? hiddenBy(explained, model.key.value, path) : ''} problems={problems} />
      <p class="dim help">{text}{bounds !== '' && <span class="bounds"> Bounds: {bounds}.</span>}</p>
    </div>
  );
}
