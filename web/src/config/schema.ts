// The JSON Schema of a document, as far as the form and the editor use it. Knows nothing of the DOM.
import type { Path } from './scan';

export interface Schema {
  type?: string; title?: string; description?: string; default?: unknown; examples?: unknown[]; const?: unknown; enum?: unknown[];
  anyOf?: Schema[]; properties?: Record<string, Schema>; additionalProperties?: Schema | boolean; items?: Schema; required?: string[]; maxItems?: number; pattern?: string;
}

// How the form shows a field.
export type Shape = 'choice' | 'switch' | 'scalar' | 'texts' | 'map' | 'object' | 'entries' | 'json';

export function shapeOf(schema: Schema): Shape {
  if (schema.enum !== undefined) return 'choice';
  if (schema.type === 'boolean') return 'switch';
  if (schema.type === 'array') return schema.items?.anyOf !== undefined ? 'entries' : schema.items?.type === 'string' ? 'texts' : 'json';
  if (schema.type === 'object') {
    if (schema.properties !== undefined) return 'object';
    return typeof schema.additionalProperties === 'object' && schema.additionalProperties.type === 'string' ? 'map' : 'json';
  }
  const plain = (one: Schema) => ['number', 'integer', 'string'].includes(one.type ?? '') || one.enum !== undefined;
  return plain(schema) || (schema.anyOf ?? []).every((one) => plain(one) || (one.anyOf ?? []).every(plain)) ? 'scalar' : 'json';
}

// "Time between two ticks. Bounds: 10 ms to 24 h. Since 0.1.0." in its parts.
export function partsOf(description = ''): { text: string; bounds: string; since: string } {
  const found = /^(.*?)(?:\s*Bounds: (.*?)\.)?(?:\s*Since ([\d.]+)\.)?$/s.exec(description);
  return { text: (found?.[1] ?? description).trim(), bounds: found?.[2] ?? '', since: found?.[3] ?? '' };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

// All values that the alternatives name.
export function choicesOf(schema: Schema): unknown[] {
  return [...(schema.enum ?? []), ...(schema.const === undefined ? [] : [schema.const]), ...(schema.anyOf ?? []).flatMap(choicesOf)];
}

// The alternative that an entry of a list follows: the one with its name, else the one for any name.
export function alternativeOf(schema: Schema, value: unknown): Schema {
  const objects = (schema.anyOf ?? []).filter((one) => one.properties !== undefined);
  if (objects.length === 0) return schema;
  const name = isObject(value) ? value['name'] : undefined;
  return objects.find((one) => one.properties!['name']?.const === name && name !== undefined) ?? objects.find((one) => one.properties!['name']?.const === undefined) ?? namesOnly(objects);
}

// While an entry has no name, it can become any of them.
function namesOnly(objects: Schema[]): Schema {
  return { type: 'object', properties: { name: { enum: objects.map((one) => one.properties!['name']!.const) } } };
}

// The schema of what a path leads to; `root`: the document's value. Undefined: there is no such field.
export function schemaAt(schema: Schema, path: Path, root: unknown): Schema | undefined {
  let here: Schema | undefined = schema;
  let value = root;
  for (const step of path) {
    value = isObject(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[step] : undefined;
    if (here?.type === 'array') here = here.items === undefined ? undefined : alternativeOf(here.items, value);
    else if (here?.properties?.[step] !== undefined) here = here.properties[step];
    else here = typeof here?.additionalProperties === 'object' ? here.additionalProperties : undefined;
    if (here === undefined) return undefined;
  }
  return here;
}

// The fields of a document of this kind: groups belong to an agent's own only.
export function fieldsOf(schema: Schema, own: boolean): [string, Schema][] {
  return Object.entries(schema.properties ?? {}).filter(([name]) => own || name !== 'groups');
}

// What was typed into a field, as a value of a document: a number, or else text. Undefined: nothing was typed.
export function valueOf(typed: string): unknown {
  const text = typed.trim();
  if (text === '') return undefined;
  return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : text;
}

export function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const WORDS: Record<string, string> = { send_every: 'Send every', log_level: 'Log level' };
// "per_core": "Per core"
export function titleOf(name: string): string {
  const words = WORDS[name] ?? name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// An entry of a list, by name or as an object with options.
export function entryName(entry: unknown): string {
  return String(isObject(entry) ? entry['name'] ?? '' : entry);
}

// The entry with another option; without any option it is its name alone.
export function withOption(entry: unknown, option: string, value: unknown): unknown {
  const next: Record<string, unknown> = { ...(isObject(entry) ? entry : { name: entry }), [option]: value };
  if (value === undefined) delete next[option];
  return Object.keys(next).length === 1 ? next['name'] : next;
}
