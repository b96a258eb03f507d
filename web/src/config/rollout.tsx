// How far the agents have come with a change that was just stored.
import { many } from '../lib/format';
import type { ConfigModel } from './model';

export function RolloutPanel({ model }: { model: ConfigModel }) {
  const progress = model.facts.progress.value;
  if (progress === null) return null;
  const { applied, waiting, refused, away } = progress;
  const alive = applied.length + waiting.length + refused.length;
  const names = (rows: { agent: string }[]) => rows.slice(0, 12).map((one) => one.agent).join(', ') + (rows.length > 12 ? ` and ${rows.length - 12} more` : '');
  return (
    <section class="rollout" aria-label="Rollout" role="status">
      {alive === 0 ? <p>No running agent is affected.</p> : (
        <>
          <p><b>{applied.length} of {many(alive, 'agent')} {applied.length === 1 ? 'runs' : 'run'} it.</b>{waiting.length > 0 && ` Waiting for ${names(waiting)}.`}</p>
          <progress max={alive} value={applied.length} aria-label="Agents that run the change" />
        </>
      )}
      {refused.length > 0 && <ul>{refused.slice(0, 12).map((one) => <li key={one.agent} class="warn"><b>{one.agent}</b> refused it: {one.error}</li>)}</ul>}
      {away.length > 0 && <p class="dim">Not running: {names(away)}. They take it when they start.</p>}
    </section>
  );
}
