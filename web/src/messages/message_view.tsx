// One message: what it says beside its bytes.
import { useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { clock, count } from '../lib/format';
import { humanValue } from '../lib/human';
import { link } from '../lib/page';
import { useEffect } from '../ui/effect';
import { Icon } from '../ui/icon';
import { Failed, Skeleton } from '../ui/states';
import type { Batch, Message } from './api';
import { BatchView } from './batch_view';
import { AT_FIRST, bytesOf, valueAddress } from './bytes';
import { HexView } from './hex_view';

// A message without its bytes is shown with the reason.
interface Loaded { message: Message; bytes: Uint8Array | null; fault: string }

async function load(partition: number, offset: number): Promise<Loaded> {
  const message = await ask<Message>('/message', { partition, offset });
  try {
    return { message, bytes: await bytesOf(partition, offset, AT_FIRST), fault: '' };
  } catch (error) {
    return { message, bytes: null, fault: (error as Error).message };
  }
}

function Facts({ message }: { message: Message }) {
  const facts: [string, string][] = [
    ['Partition', String(message.partition)], ['Offset', String(message.offset)], ['Stored', clock(message.time, true)],
    ['Size', `${humanValue('By', '', message.bytes)}${message.bytes >= 1024 ? ` (${count(message.bytes)} B)` : ''}`],
  ];
  return (
    <dl class="message-facts">
      {facts.map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}
      <div><dt>Key</dt><dd class="message-key">{message.key}{message.agent !== undefined && <a href={link('agent', { agents: message.agent })}>host</a>}</dd></div>
    </dl>
  );
}

function Headers({ message }: { message: Message }) {
  const headers = message.all_headers ?? [];
  return (
    <section aria-label="Headers">
      <h3>{headers.length === 0 ? 'No headers' : 'Headers'}</h3>
      <dl class="headers">{headers.map((one, i) => [<dt key={`name ${i}`}>{one.name}</dt>, <dd key={`value ${i}`}>{one.text ? one.value : <code>{one.value}</code>}{!one.text && <span class="tag">{one.bytes} B, in hex</span>}</dd>])}</dl>
    </section>
  );
}

function Decoded({ message }: { message: Message }) {
  if (message.error !== undefined) {
    return <div class="undecoded" role="alert"><Icon name="warn" /><div><strong>This message cannot be decoded</strong><p>{message.error}</p><p class="dim">Readers skip it and count it. Its bytes are beside.</p></div></div>;
  }
  if (message.batch === undefined) return <p class="dim">The batch is too large to show. Its bytes are beside.</p>;
  return <BatchView batch={message.batch as unknown as Batch} />;
}

export function MessageView({ partition, offset, close }: { partition: number; offset: number; close: () => void }) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    let over = false;
    load(partition, offset).then((found) => { if (!over) setLoaded(found); }, (error: Error) => { if (!over) setFault(error.message); });
    return () => { over = true; };
  }, [partition, offset]);
  const all = async () => {
    const bytes = await bytesOf(partition, offset).catch((error: Error) => setFault(error.message));
    if (bytes !== undefined) setLoaded((before) => before && { ...before, bytes });
  };
  return (
    <article class="message-view" aria-label={`Message ${offset} of partition ${partition}`} data-open={`${partition}:${offset}`}>
      <button class="quiet square message-close" aria-label="Close the message" onClick={close}><Icon name="close" /></button>
      {fault !== '' && <Failed what="The message cannot be read" why={fault} />}
      {loaded === null && fault === '' && <Skeleton shape="chart" />}
      {loaded !== null && (
        <>
          <Facts message={loaded.message} />
          <div class="message-halves">
            <div class="message-decoded"><Decoded message={loaded.message} /><Headers message={loaded.message} /></div>
            <div class="message-raw">
              {loaded.bytes === null ? <p class="warn">{loaded.fault}</p> : <HexView bytes={loaded.bytes} size={loaded.message.bytes} address={valueAddress(partition, offset)} name={`${loaded.message.key}-${partition}-${offset}.bin`} all={() => void all()} />}
            </div>
          </div>
        </>
      )}
    </article>
  );
}
