// The versions of a document: compare, restore, and see what a change did.
import { useState } from 'preact/hooks';
import type { Version } from '../lib/api';
import { age, clock } from '../lib/format';
import { link } from '../lib/page';
import { DiffView } from '../ui/diff_view';
import { effectOf, usersOf } from './layers';
import type { ConfigModel } from './model';

// When, by whom and why, as far as it is known.
function said({ time, who, why, recorded, found }: Version, now: number): string {
  const parts = [time === null ? 'at an unknown time' : `${recorded ? '' : 'about '}${clock(time)} · ${age(now - time)} ago`];
  if (who !== null) parts.push(who);
  if (!recorded) parts.push(found === null ? 'unknown author, not recorded' : `unknown author, found at ${clock(found)}`);
  if (why !== null) parts.push(`“${why}”`);
  return parts.join(' · ');
}

function Row({ version, before, isCurrent, model }: { version: Version; before: Version | undefined; isCurrent: boolean; model: ConfigModel }) {
  const [open, setOpen] = useState(false);
  const { time, value, deleted, revision } = version;
  const now = model.clock.value / 1000;
  const agents = usersOf(model.key.value, model.overview.value?.agents ?? []).map((one) => one.agent);
  return (
    <li class="version-row" data-revision={revision}>
      <div class="version-line">
        <b>{deleted ? 'deleted' : `revision ${revision}`}</b>{isCurrent && <span class="pill">current</span>}
        <span class="dim said">{said(version, now)}</span>
        <span class="grow" />
        {time !== null && agents.length > 0 && <a href={link('agent', effectOf(agents, time, now))} title="Charts before and after this change">See the effect</a>}
        <button aria-expanded={open} onClick={() => setOpen(!open)}>What changed</button>
        {value !== null && !isCurrent && <button disabled={model.readOnly.value} aria-describedby={model.locked ? 'why-read-only' : undefined} onClick={() => model.restore(value, revision)}>Restore</button>}
      </div>
      {open && !deleted && value === null && <p class="dim">The text was too large to keep.</p>}
      {open && (deleted || value !== null) && <DiffView before={before?.value ?? ''} after={value ?? ''} label={`What revision ${revision} changed`} />}
    </li>
  );
}

export function History({ model }: { model: ConfigModel }) {
  const history = model.facts.history.value;
  return (
    <section class="history" aria-label="History">
      <h3>History</h3>
      {model.facts.historyFault.value !== '' && <p class="warn" role="alert">The history cannot be read: {model.facts.historyFault.value}</p>}
      {history !== null && !history.kept && <p class="dim">Nothing keeps old versions of this document.</p>}
      {history?.kept === true && history.versions.length === 0 && <p class="dim">There was no version yet{history.complete ? '' : ' that is still known'}.</p>}
      {history !== null && history.versions.length > 0 && (
        <>
          <ol>{history.versions.map((one, i) => <Row key={`${one.revision} ${i}`} version={one} before={history.versions[i + 1]} isCurrent={i === 0 && !one.deleted} model={model} />)}</ol>
          {!history.complete && <p class="dim">Older versions are not listed: they are not kept, or there are more than 50.</p>}
        </>
      )}
    </section>
  );
}
