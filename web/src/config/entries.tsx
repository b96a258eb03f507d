// A list of names with options: metrics, plugins.
import { useState } from 'preact/hooks';
import { Control } from './field';
import { alternativeOf, choicesOf, entryName, partsOf, titleOf, withOption } from './schema';
import type { ControlProps } from './controls';

type One = Pick<ControlProps, 'id' | 'schema' | 'readOnly'> & { entry: unknown; change: (next: unknown) => void };

function Options({ id, schema, entry, readOnly, change }: One) {
  const name = entryName(entry);
  const fields = Object.entries(alternativeOf(schema.items!, { name }).properties ?? {}).filter(([one]) => one !== 'name');
  const given = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : {};
  const set = Object.keys(given).filter((one) => one !== 'name');
  if (fields.length === 0) return <span class="entry-name">{name}</span>;
  return (
    <details class="entry-options">
      <summary><span class="entry-name">{name}</span> <span class="dim">{set.map((one) => `${one}: ${JSON.stringify(given[one])}`).join(', ')}</span></summary>
      <div class="options">{fields.map(([option, one]) => (
        <div key={option} class="option"><label for={`${id}-${option}`} title={partsOf(one.description).text}>{titleOf(option)}</label>
          <Control id={`${id}-${option}`} schema={one} value={given[option]} fallback={one.default} readOnly={readOnly} set={(value) => change(withOption(entry, option, value))} /></div>
      ))}</div>
    </details>
  );
}

export function Entries({ id, schema, value, fallback, readOnly, set }: ControlProps) {
  const [custom, setCustom] = useState('');
  const isSet = Array.isArray(value);
  const entries: unknown[] = isSet ? value : Array.isArray(fallback) ? fallback : [];
  const choices = [...new Set(choicesOf(schema.items!).map(String))];
  const names = entries.map(entryName);
  const free = (schema.items!.anyOf ?? []).some((one) => one.pattern !== undefined);
  const toggle = (name: string) => set(names.includes(name) ? entries.filter((_, i) => names[i] !== name) : [...entries, name]);
  const replace = (at: number, next: unknown) => set(entries.map((one, i) => (i === at ? next : one)));
  const up = (at: number) => set(entries.map((one, i) => (i === at - 1 ? entries[at] : i === at ? entries[at - 1] : one)));
  const add = () => {
    toggle(custom.trim());
    setCustom('');
  };
  return (
    <div class="entries" id={id} role="group" aria-labelledby={`${id}-label`}>
      <div class="chips">{choices.map((name) => <button key={name} type="button" class="chip" aria-pressed={names.includes(name)} disabled={readOnly} onClick={() => toggle(name)}>{name}</button>)}</div>
      {free && !readOnly && <div class="pair-row"><input aria-label="Another name" placeholder="another name" value={custom} onInput={(event) => setCustom(event.currentTarget.value)} />
        <button type="button" disabled={!/^[A-Za-z0-9._ -]{1,128}\??$/.test(custom.trim()) || names.includes(custom.trim())} onClick={add}>Add</button></div>}
      {isSet && <ol class="entry-list">{entries.map((entry, i) => (
        <li key={`${names[i]} ${i}`}>
          <Options id={`${id}-${i}`} schema={schema} entry={entry} readOnly={readOnly} change={(next) => replace(i, next)} />
          {!readOnly && free && i > 0 && <button type="button" class="plain" onClick={() => up(i)}>Earlier<span class="visually-hidden"> {names[i]}</span></button>}
          {!readOnly && !choices.includes(names[i]!) && <button type="button" class="plain" onClick={() => set(entries.filter((_, k) => k !== i))}>Remove<span class="visually-hidden"> {names[i]}</span></button>}
        </li>
      ))}</ol>}
    </div>
  );
}
