// The controls of single values. What is typed stays as it is while the field has the focus.
import { useState } from 'preact/hooks';
import { choicesOf, textOf, valueOf, type Schema } from './schema';

export interface ControlProps { id: string; schema: Schema; value: unknown; fallback: unknown; readOnly: boolean; set: (value: unknown) => void }

interface TypedProps { id: string; shown: string; placeholder: string; readOnly: boolean; same: (typed: string) => boolean; set: (typed: string) => void }

function Typed({ id, shown, placeholder, readOnly, same, set }: TypedProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const typed = (text: string) => {
    setDraft(text);
    set(text);
  };
  return <input id={id} value={draft !== null && same(draft) ? draft : shown} placeholder={placeholder} readOnly={readOnly} spellcheck={false} autocomplete="off"
    onInput={(event) => typed(event.currentTarget.value)} onBlur={() => setDraft(null)} />;
}

const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

export function Scalar({ id, value, fallback, readOnly, set }: ControlProps) {
  return <Typed id={id} shown={textOf(value)} placeholder={textOf(fallback)} readOnly={readOnly} same={(typed) => equal(valueOf(typed), value)} set={(typed) => set(valueOf(typed))} />;
}

const listOf = (typed: string) => {
  const found = typed.split(',').map((one) => one.trim()).filter((one) => one !== '');
  return found.length === 0 ? undefined : found;
};
const joined = (value: unknown) => (Array.isArray(value) ? value.map(String).join(', ') : '');

export function Texts({ id, value, fallback, readOnly, set }: ControlProps) {
  return <Typed id={id} shown={joined(value)} placeholder={joined(fallback)} readOnly={readOnly} same={(typed) => equal(listOf(typed), value)} set={(typed) => set(listOf(typed))} />;
}

export function Choice({ id, schema, value, fallback, readOnly, set }: ControlProps) {
  const options = schema.type === 'boolean' ? [true, false] : choicesOf(schema);
  const word = (one: unknown) => (one === true ? 'on' : one === false ? 'off' : textOf(one));
  const known = options.findIndex((one) => equal(one, value));
  return (
    <select id={id} value={value === undefined ? '' : known < 0 ? 'other' : String(known)} disabled={readOnly} onChange={(event) => set(event.currentTarget.value === '' ? undefined : options[Number(event.currentTarget.value)])}>
      <option value="">{fallback === undefined ? 'not set' : `as inherited (${word(fallback)})`}</option>
      {options.map((one, i) => <option key={i} value={String(i)}>{word(one)}</option>)}
      {value !== undefined && known < 0 && <option value="other" disabled>{textOf(value)}</option>}
    </select>
  );
}

// A value without a control of its own, as JSON.
export function Json({ id, value, fallback, readOnly, set }: ControlProps) {
  const read = (typed: string): unknown => {
    if (typed.trim() === '') return undefined;
    try {
      return JSON.parse(typed) as unknown;
    } catch {
      return typed;  // which is not valid, as the page will say
    }
  };
  return <Typed id={id} shown={value === undefined ? '' : JSON.stringify(value)} placeholder={JSON.stringify(fallback ?? {})} readOnly={readOnly} same={(typed) => equal(read(typed), value)} set={(typed) => set(read(typed))} />;
}

export function Pairs({ id, value, fallback, readOnly, set }: ControlProps) {
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const pairs = Object.entries((value ?? {}) as Record<string, unknown>);
  const change = (key: string, next: string | undefined) => {
    const all = Object.fromEntries(pairs.filter(([one]) => next !== undefined || one !== key));
    if (next !== undefined) all[key] = next;
    set(Object.keys(all).length === 0 ? undefined : all);
  };
  const add = () => {
    change(name.trim(), text);
    setName('');
    setText('');
  };
  const onKey = (pressed: KeyboardEvent) => {
    if (pressed.key !== 'Enter' || name.trim() === '') return;
    pressed.preventDefault();
    add();
  };
  const below = Object.entries((fallback ?? {}) as Record<string, unknown>).filter(([one]) => !pairs.some(([key]) => key === one));
  return (
    <div class="pairs">
      {below.map(([key, one]) => <span key={key} class="tag">{key}={textOf(one)}</span>)}
      {pairs.map(([key, one]) => (
        <div key={key} class="pair-row"><code>{key}</code><input aria-label={`Value of ${key}`} value={textOf(one)} readOnly={readOnly} onInput={(event) => change(key, event.currentTarget.value)} />
          {!readOnly && <button type="button" class="plain" onClick={() => change(key, undefined)}>Remove<span class="visually-hidden"> {key}</span></button>}</div>
      ))}
      {!readOnly && (
        <div class="pair-row"><input id={id} aria-label="Name of a new one" placeholder="name" value={name} onInput={(event) => setName(event.currentTarget.value)} onKeyDown={onKey} />
          <input aria-label="Value of a new one" placeholder="value" value={text} onInput={(event) => setText(event.currentTarget.value)} onKeyDown={onKey} />
          <button type="button" disabled={name.trim() === ''} onClick={add}>Add</button></div>
      )}
    </div>
  );
}
