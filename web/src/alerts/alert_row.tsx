// One alert: what it is about, and in its details why it fired.
import { useState } from 'preact/hooks';
import { age } from '../lib/format';
import { link } from '../lib/page';
import { session } from '../lib/session';
import type { Alert } from '../state/alert';
import { Icon } from '../ui/icon';
import { Why } from './why';

export function AlertRow({ alert, silence }: { alert: Alert; silence: (alert: Alert) => void }) {
  const [open, setOpen] = useState(false);
  const { name, agent, state, severity, annotations, labels, silencedBy, inhibitedBy, since, fired } = alert;
  const quiet = silencedBy.length > 0 || inhibitedBy.length > 0;
  const mayChange = session.changes() !== 'no';
  return (
    <article class={`alert-row is-${quiet ? 'quiet' : state}`} data-alert={name} data-agent={agent}>
      <header>
        <button class="quiet fold" aria-expanded={open} aria-label={`${open ? 'Hide' : 'Show'} why ${name} fired`} onClick={() => setOpen(!open)}><Icon name={open ? 'minus' : 'plus'} size={14} /></button>
        <span class={`pill is-${quiet ? 'quiet' : state}`}>{quiet ? (silencedBy.length > 0 ? 'silenced' : 'inhibited') : state}</span>
        <div class="alert-text">
          <h3>{name}{severity !== '' && <span class="tag">{severity}</span>}</h3>
          <p>{annotations['summary'] ?? ''}</p>
          {annotations['next'] !== undefined && <p class="dim">Next: {annotations['next']}</p>}
        </div>
        <span class="alert-host">{agent !== '' && <a href={link('agent', { agents: agent })}>{agent}</a>}<time class="dim">{age(Date.now() / 1000 - (state === 'firing' && fired > 0 ? fired : since))}</time></span>
        {!quiet && <button class="silence-it" disabled={!mayChange} title={mayChange ? undefined : 'Changes need the role editor'} onClick={() => silence(alert)}><Icon name="silence" size={14} />Silence</button>}
      </header>
      {open && <div class="alert-details"><div class="chips">{Object.entries(labels).map(([label, value]) => <span key={label} class="tag">{label}={value}</span>)}</div><Why alert={alert} /></div>}
    </article>
  );
}
