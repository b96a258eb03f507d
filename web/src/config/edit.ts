// Changes one field of a document and leaves the rest of its text as it is. Knows nothing of the DOM.
import { scan, type Node } from './scan';

const STEP = 4;

function shown(value: unknown, depth: number): string {
  const text = JSON.stringify(value, null, STEP);
  // A list of short plain values fits into a line.
  const flat = Array.isArray(value) ? `[${value.map((one) => JSON.stringify(one)).join(', ')}]` : text;
  if (Array.isArray(value) && flat.length <= 100) return flat;
  return text.replaceAll('\n', `\n${' '.repeat(STEP * depth)}`);
}

function without(text: string, object: Node, index: number): string {
  const { properties } = object;
  const one = properties[index]!;
  if (properties.length === 1) return `${text.slice(0, object.from)}{}${text.slice(object.to)}`;
  if (index + 1 < properties.length) return text.slice(0, one.from) + text.slice(properties[index + 1]!.from);
  return text.slice(0, properties[index - 1]!.to) + text.slice(one.to);
}

function within(text: string, object: Node, name: string, value: unknown, depth: number): string {
  const line = `${JSON.stringify(name)}: ${shown(value, depth)}`;
  const last = object.properties.at(-1);
  const indent = ' '.repeat(STEP * depth);
  if (last !== undefined) {
    const lines = text.slice(object.from, last.from).includes('\n');
    return `${text.slice(0, last.to)},${lines ? `\n${indent}` : ' '}${line}${text.slice(last.to)}`;
  }
  return `${text.slice(0, object.from)}{\n${indent}${line}\n${' '.repeat(STEP * (depth - 1))}}${text.slice(object.to)}`;
}

// The text with `value` at the path of names; undefined removes the field, and objects around it that it leaves empty.
export function setIn(text: string, path: string[], value: unknown): string {
  const { root } = scan(text);
  if (root?.kind !== 'object') return value === undefined ? text : setIn('{}\n', path, value);
  let object = root;
  for (let depth = 1; depth <= path.length; ++depth) {
    const name = path[depth - 1]!;
    const index = object.properties.findIndex((one) => one.name === name);
    const found = object.properties[index]?.value ?? null;
    const isLast = depth === path.length;
    if (value === undefined && (index < 0 || (!isLast && found?.kind !== 'object'))) return text;
    if (value === undefined && (isLast || (found?.kind === 'object' && found.properties.length === 1 && depth + 1 === path.length && found.properties[0]!.name === path.at(-1)))) return without(text, object, index);
    if (index >= 0 && (isLast || found?.kind !== 'object')) {
      const property = object.properties[index]!;
      const nested = path.slice(depth).reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
      return `${text.slice(0, property.nameTo)}: ${shown(nested, depth)}${text.slice(property.to)}`;
    }
    if (index < 0) {
      const nested = path.slice(depth).reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
      return within(text, object, name, nested, depth);
    }
    object = found!;
  }
  return text;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

// The merge patch (RFC 7396) that makes `after` of `before`.
export function patchOf(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after;
  const patch: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!(name in after)) patch[name] = null;
    else if (JSON.stringify(before[name]) !== JSON.stringify(after[name])) patch[name] = patchOf(before[name], after[name]);
  }
  return patch;
}
