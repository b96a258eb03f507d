// The bytes of a message's value.
import { address, ApiError, lock } from '../lib/api';

export const AT_FIRST = 65_536;

export const valueAddress = (partition: number, offset: number): string => address('/message/value', { partition, offset });

// At most `most` bytes; all, if it is not given.
export async function bytesOf(partition: number, offset: number, most?: number): Promise<Uint8Array> {
  const response = await fetch(address('/message/value', { partition, offset, bytes: most }), { cache: 'no-store' });
  if (response.status === 401) lock.ask();
  if (!response.ok) {
    const text = await response.text();
    let why = text;
    try {
      why = String((JSON.parse(text) as { error?: unknown }).error ?? text);
    } catch {
      // The text is the reason.
    }
    throw new ApiError(response.status, why, {});
  }
  return new Uint8Array(await response.arrayBuffer());
}
