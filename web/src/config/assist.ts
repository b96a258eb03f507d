// What the editor offers while one types: completion, explanation. Knows nothing of the DOM.
import type { Node, Path, Property } from './scan';
import { choicesOf, partsOf, schemaAt, type Schema } from './schema';

interface Place { path: Path; property: Property | null; key: boolean; object: Node | null }

const inside = (at: number, from: number, to: number) => at >= from && at <= to;

// Where a position is: on the name of a property or on a value, and in which object.
export function placeAt(root: Node | null, at: number): Place {
  let place: Place = { path: [], property: null, key: false, object: null };
  let node = root;
  while (node !== null && inside(at, node.from, node.to)) {
    place = { path: place.path, property: null, key: false, object: node.kind === 'object' ? node : null };
    const property: Property | undefined = node.properties.find((one) => inside(at, one.from, one.to));
    if (property !== undefined) {
      place = { path: [...place.path, property.name], property, key: at <= property.nameTo, object: node };
      if (place.key) return place;
      node = property.value;
      continue;
    }
    const index: number = node.items.findIndex((one) => inside(at, one.from, one.to));
    if (index < 0) {
      if (node.kind === 'array') return { ...place, path: [...place.path, node.items.filter((one) => one.to < at).length] };
      return place;
    }
    place.path = [...place.path, index];
    node = node.items[index]!;
  }
  return place;
}

export interface Option { label: string; apply: string; detail: string; info: string }
export interface Offered { from: number; to: number; options: Option[] }

// A value that is ready to be changed.
function startOf(schema: Schema): string {
  const value = schema.default ?? schema.examples?.[0] ?? choicesOf(schema)[0] ?? { object: {}, array: [], boolean: true }[schema.type ?? ''] ?? '';
  return JSON.stringify(value);
}

const describe = (schema: Schema | undefined): string => {
  const { text, bounds } = partsOf(schema?.description);
  return [text, bounds === '' ? '' : `Bounds: ${bounds}.`].filter((one) => one !== '').join(' ');
};

function names(schema: Schema, root: Node | null, place: Place, from: number, to: number, text: string): Offered | null {
  const path = place.property === null ? place.path : place.path.slice(0, -1);
  const parent = schemaAt(schema, path, root?.value);
  const given = new Set(place.object?.properties.filter((one) => one !== place.property).map((one) => one.name));
  const hasValue = /^\s*:/.test(text.slice(to));
  const options = Object.entries(parent?.properties ?? {}).filter(([name]) => !given.has(name)).map(([name, one]): Option => ({
    label: name, apply: hasValue ? JSON.stringify(name) : `${JSON.stringify(name)}: ${startOf(one)}`, detail: partsOf(one.description).bounds, info: describe(one),
  }));
  return options.length === 0 ? null : { from, to, options };
}

export function offer(text: string, root: Node | null, schema: Schema, at: number): Offered | null {
  const place = placeAt(root, at);
  if (place.key) return names(schema, root, place, place.property!.from, place.property!.nameTo, text);
  const word = /"?[^\s{}[\],:"]*$/.exec(text.slice(0, at))![0];
  const node = place.property?.value ?? null;
  // In an object beside its properties: the name of another one.
  if (place.object !== null && (place.property === null || (node !== null && at > node.to))) return names(schema, root, { ...place, property: null }, at - word.length, at, text);
  let here = schemaAt(schema, place.path, root?.value);
  const last = place.path.at(-1);
  if (typeof last === 'number') here = schemaAt(schema, place.path.slice(0, -1), root?.value)?.items ?? here;
  if (here === undefined) return null;
  const end = /^[^\s{}[\],:"]*"?/.exec(text.slice(at))![0];
  const values = [...choicesOf(here), ...(here.type === 'boolean' ? [true, false] : []), ...(here.examples ?? [])];
  const distinct = [...new Map(values.map((value) => [JSON.stringify(value), value])).keys()];
  const options = distinct.map((value): Option => ({ label: value, apply: value, detail: '', info: describe(here) }));
  return options.length === 0 ? null : { from: at - word.length, to: at + (word === '' ? 0 : end.length), options };
}

export interface Explanation { from: number; to: number; name: string; text: string; bounds: string; since: string; fallback: string }

// What the property at a position means.
export function explainAt(root: Node | null, schema: Schema, at: number): Explanation | null {
  const place = placeAt(root, at);
  if (place.property === null) return null;
  const found = schemaAt(schema, place.path, root?.value);
  if (found?.description === undefined) return null;
  const { text, bounds, since } = partsOf(found.description);
  return { from: place.property.from, to: place.property.nameTo, name: place.property.name, text, bounds, since, fallback: found.default === undefined ? '' : JSON.stringify(found.default) };
}
