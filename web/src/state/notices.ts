// What the lamp and the notices say about the connection. Knows nothing of the DOM.
import type { Status } from '../lib/api';
import { age, clock } from '../lib/format';
import type { LinkState } from '../lib/stream';

export interface Lamp { kind: 'live' | 'connecting' | 'lost' | 'quiet'; text: string }

export function lampOf(link: LinkState, since: number, now: number, server: Status | null): Lamp {
  // Connected to the page's server, which itself may receive no data.
  if (link === 'live' && server !== null && server.servers.trouble !== '') {
    const noServer = server.servers.state === 'away' || server.servers.state === 'stopped';
    return { kind: 'quiet', text: noServer ? 'no server' : 'no data' };
  }
  if (link === 'lost') return { kind: 'lost', text: `disconnected for ${age((now - since) / 1000)}` };
  return { kind: link, text: link };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export function noticesOf(link: LinkState, since: number, server: Status | null): string[] {
  const found: string[] = [];
  if (link === 'lost') found.push(`No connection to the server since ${clock(since / 1000)}. The page shows old data and keeps trying to reconnect.`);
  if (server === null) return found;
  const { log, servers, history, config } = server;
  if (log.trouble !== '') found.push(`The log has not been readable since ${clock(log.since)}: ${log.trouble}`);
  else if (!log.caught_up) found.push('Catching up with the log.');
  if (servers.trouble !== '') found.push(`${capital(servers.trouble)}.`);
  if (history.trouble !== '') found.push(`The history has not been writable since ${clock(history.since)}: ${history.trouble}. It will be filled from the log.`);
  if (config.trouble !== '') found.push(`The configuration cannot be read: ${config.trouble}`);
  return found;
}
