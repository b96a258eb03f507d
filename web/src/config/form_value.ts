// What the form shows in a field that the document leaves to the layers below. Knows nothing of the DOM.
import type { Explained } from '../lib/api';
import { BUILT_IN, layerName } from './layers';
import { pathOf } from './scan';
import type { Schema } from './schema';

export interface Origin { value: unknown; from: string }

const pointer = (path: string[]) => path.map((one) => `/${one.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

// The value in force at a path, put together if its parts come from several layers; `own`: the document itself.
export function inForce(explained: Explained | null, path: string[]): { value: unknown; layers: (string | null)[] } | null {
  const at = pointer(path);
  const parts = explained?.values.filter((one) => one.path === at || one.path.startsWith(`${at}/`)) ?? [];
  if (parts.length === 0) return null;
  const layers = [...new Set(parts.map((one) => one.layer))];
  if (parts[0]!.path === at) return { value: parts[0]!.value, layers };
  return { value: Object.fromEntries(parts.map((one) => [pathOf(one.path.slice(at.length))[0], one.value])), layers };
}

// What applies where the document sets nothing: from a layer below, or built in.
export function inherited(explained: Explained | null, key: string, path: string[], schema: Schema): Origin | null {
  const found = inForce(explained, path);
  if (found !== null && !found.layers.includes(key)) return { value: found.value, from: found.layers.map(layerName).join(', ') };
  return schema.default === undefined ? null : { value: schema.default, from: BUILT_IN };
}

// The layer that hides what the document sets; empty: none.
export function hiddenBy(explained: Explained | null, key: string, path: string[]): string {
  const found = inForce(explained, path);
  return found === null || found.layers.includes(key) ? '' : found.layers.map(layerName).join(', ');
}
