// Somebody else has saved the document meanwhile: both versions.
import { DiffView } from '../ui/diff_view';
import type { ConfigModel } from './model';

export function Conflict({ model }: { model: ConfigModel }) {
  const conflict = model.conflict.value;
  if (conflict === null) return null;
  const { theirs } = conflict;
  return (
    <section class="conflict" role="alert" aria-label="Conflict">
      <p><b>{theirs === null ? 'This document was deleted elsewhere.' : 'This document was changed elsewhere.'}</b> Your text is not stored.</p>
      {theirs !== null && (
        <div class="versions">
          <figure><figcaption>The stored version{theirs.revision !== 0 && `, revision ${theirs.revision}`}</figcaption><pre class="version" tabIndex={0} aria-label="The stored version">{theirs.value}</pre></figure>
          <figure><figcaption>Your version</figcaption><pre class="version" tabIndex={0} aria-label="Your version">{model.text.value}</pre></figure>
        </div>
      )}
      {theirs !== null && <DiffView before={theirs.value} after={model.text.value} label="From the stored version to yours" />}
      <div class="tools">
        <button onClick={() => void model.load()}>Load the stored version</button>
        <button onClick={() => model.keepMine()}>Keep my version</button>
        <span class="dim">Nothing is stored before you save it.</span>
      </div>
    </section>
  );
}
