// What a page shows while there is nothing to show: loading, empty, failed.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Icon, type IconName } from './icon';

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="blank">
      <span class="blank-icon"><Icon name={icon} size={28} /></span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

// `retry` is offered when trying again can help.
export function Failed({ what, why, retry }: { what: string; why: string; retry?: () => void }) {
  return (
    <div class="blank is-failed" role="alert">
      <span class="blank-icon"><Icon name="warn" size={28} /></span>
      <h2>{what}</h2>
      <p class="dim">{why}</p>
      {retry !== undefined && <button onClick={retry}>Try again</button>}
    </div>
  );
}

// Grey shapes in the place of what is coming, so that nothing jumps when it arrives.
export function Skeleton({ shape, many = 1 }: { shape: 'card' | 'chart' | 'row' | 'tile'; many?: number }) {
  return <>{Array.from({ length: many }, (_, i) => <div key={i} class={`skeleton of-${shape}`} aria-hidden="true" />)}</>;
}

export function Loading({ what, children }: { what: string; children: ComponentChildren }) {
  return <div aria-busy="true"><span class="visually-hidden" role="status">Loading {what}</span>{children}</div>;
}

// A command with a button that copies it.
export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      window.setTimeout(() => setCopied(false), 2000);
    } catch {
      setCopied(false);  // the text can still be selected
    }
  };
  return (
    <div class="command">
      <code tabIndex={0}>{text}</code>
      <button class="quiet" onClick={() => void copy()} aria-label={`Copy: ${text}`}><Icon name={copied ? 'check' : 'copy'} /><span role="status">{copied ? 'Copied' : 'Copy'}</span></button>
    </div>
  );
}
