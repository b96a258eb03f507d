// The part of the API that this page uses.
import type { components, paths } from '../api/types';

type Get<Path extends keyof paths> = paths[Path]['get'] extends { responses: { 200: { content: { 'application/json': infer Value } } } } ? Value : never;

export type Message = components['schemas']['Message'];
export type Found = Get<'/api/ui/v1/messages'>;
export type Log = Get<'/api/ui/v1/log'>;
export type Lag = Get<'/api/ui/v1/log/lag'>;

// The batch of a message, as docs/payload.md describes it: what this page shows of it.
export interface Metric { name: string; unit: string; labels: Record<string, string>; value: number | null; kind?: string }
export interface Frame { time: string; rates_since?: string; continued?: boolean; metrics: Metric[] }
export interface Batch {
  agent: string; host: string; incarnation: string; sequence: number; config_revision: number; first_unacked: number;
  appended: string; agent_version: string; send_every_ns: number; final?: boolean; frames: Frame[];
  [other: string]: unknown;
}

export const idOf = (message: Pick<Message, 'partition' | 'offset'>): string => `${message.partition}:${message.offset}`;

// "0:17" as partition and offset; null if it is none.
export function placeOf(id: string): { partition: number; offset: number } | null {
  const found = /^(\d{1,6}):(\d{1,18})$/.exec(id);
  return found === null ? null : { partition: Number(found[1]), offset: Number(found[2]) };
}
