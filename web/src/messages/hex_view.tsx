// Bytes in hex and as text. Only the lines in sight are in the DOM.
import { useRef, useState } from 'preact/hooks';
import { count } from '../lib/format';
import { Icon } from '../ui/icon';
import { useSight } from '../ui/virtual';
import { hexDump, hexLine, lineCount } from './hex';

const LINE = 18;

interface Props { bytes: Uint8Array; size: number; address: string; name: string; all: () => void }

export function HexView({ bytes, size, address, name, all }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const [copied, setCopied] = useState('');
  const lines = lineCount(bytes);
  const { first, many } = useSight(body, LINE, lines);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(hexDump(bytes));
      setCopied('Copied');
    } catch {
      setCopied('The browser forbids it');
    }
    window.setTimeout(() => setCopied(''), 2000);
  };
  return (
    <section aria-label="Bytes">
      <div class="tools"><strong>Bytes</strong><span class="dim">{bytes.length < size ? `first ${count(bytes.length)} of ${count(size)}` : count(size)}</span>
        {bytes.length < size && <button onClick={all}>Load all</button>}
        <span class="grow" /><span class="dim" role="status">{copied}</span>
        <button class="quiet" onClick={() => void copy()}><Icon name="copy" />Copy</button>
        <a class="button-like" href={address} download={name}><Icon name="download" />Save</a>
      </div>
      {size === 0 && <p class="dim">The value is empty.</p>}
      <div ref={body} class="hex" tabIndex={0} role="region" aria-label="Bytes in hex and as text">
        <div class="hex-lines" style={{ height: `${lines * LINE}px` }}>
          {Array.from({ length: many }, (_, i) => {
            const line = hexLine(bytes, first + i);
            return <div key={first + i} class="hex-line" style={{ transform: `translateY(${(first + i) * LINE}px)` }}><span class="dim">{line.offset}</span><span class="hex-bytes">{line.hex}</span><span class="hex-text">{line.text}</span></div>;
          })}
        </div>
      </div>
    </section>
  );
}
