// The rollouts of groups: steps, agents, judgements, and what an operator may do. Live while one runs.
import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { age, many } from '../lib/format';
import { left } from './countdown';
import type { ConfigModel } from './model';
import { actionsOf, inOrder, RolloutsModel, stepStates, type Action, type Rollout } from './rollouts';

const LIVE = 1000;  // milliseconds, while one runs
const CALM = 10_000;
const EVENTS = 12;

const figure = (value: number | null) => (value === null ? '–' : Number(value.toPrecision(4)).toString());
const LABELS: Record<Action, string> = { pause: 'Pause', resume: 'Resume', abort: 'Abort and undo' };

function Steps({ rollout }: { rollout: Rollout }) {
  const states = stepStates(rollout);
  return (
    <ol class="steps" aria-label="Steps">{rollout.steps.map((step, i) => (
      <li key={i} class={`step is-${states[i]}`} aria-current={states[i] === 'current' ? 'step' : undefined}>
        {states[i] === 'passed' ? '✓ ' : ''}{i === 0 ? `Canary ${step}` : step}
      </li>
    ))}</ol>
  );
}

function Agents({ rollout }: { rollout: Rollout }) {
  const { members, changed, applied, pending, failed, away } = rollout.counts;
  return (
    <>
      <p><b>{applied} of {many(changed, 'changed agent')} {applied === 1 ? 'runs' : 'run'} it</b> ({many(members, 'agent')} in the group){pending > 0 && `, ${pending} pending`}{failed > 0 && `, ${failed} failed`}{away > 0 && `, ${away} away`}.</p>
      <progress max={Math.max(members, 1)} value={applied} aria-label="Agents of the group that run the new document" />
      {rollout.troubles.length > 0 && <ul>{rollout.troubles.map((one) => <li key={one.agent} class="warn"><b>{one.agent}</b>: {one.why}</li>)}</ul>}
    </>
  );
}

function Verdicts({ rollout }: { rollout: Rollout }) {
  if (rollout.verdicts.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Judgements"><table>
      <caption>Judgements of this step</caption>
      <thead><tr><th scope="col">Judgement</th><th scope="col">Outcome</th><th scope="col" class="num">Now</th><th scope="col" class="num">Before</th><th scope="col" class="num">Unchanged now</th><th scope="col" class="num">Unchanged before</th><th scope="col">Why</th></tr></thead>
      <tbody>{rollout.verdicts.map((one) => (
        <tr key={one.judgement}><td>{one.judgement}</td><td><span class={`state is-${one.outcome === 'good' ? 'applied' : one.outcome === 'bad' ? 'failed' : 'pending'}`}>{one.outcome}</span></td>
          <td class="num">{figure(one.now)}</td><td class="num">{figure(one.before)}</td><td class="num">{figure(one.others_now)}</td><td class="num">{figure(one.others_before)}</td><td class="error">{one.why}</td></tr>
      ))}</tbody>
    </table></div>
  );
}

function Operate({ rollout, rollouts, token }: { rollout: Rollout; rollouts: RolloutsModel; token: ConfigModel }) {
  const [message, setMessage] = useState('');
  const actions = actionsOf(rollout);
  if (actions.length === 0 || token.locked) return null;
  const busy = rollouts.busy.value !== '';
  return (
    <form class="tools" onSubmit={(event) => event.preventDefault()}>
      {token.wantsToken && <input type="password" placeholder="Token" aria-label="Token for changes" autocomplete="off" value={token.token.value} onInput={(event) => { token.token.value = event.currentTarget.value; }} />}
      <input type="text" placeholder="Why" aria-label={`Why, for the rollout of ${rollout.group}`} maxLength={1000} value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
      {actions.map((action) => <button key={action} type="button" disabled={busy} onClick={() => void rollouts.operate(rollout.group, action, message).then((done) => { if (done) setMessage(''); })}>{LABELS[action]}</button>)}
    </form>
  );
}

function One({ rollout, rollouts, model }: { rollout: Rollout; rollouts: RolloutsModel; model: ConfigModel }) {
  const now = model.clock.value / 1000;
  const events = rollout.events.slice(-EVENTS).reverse();
  return (
    <article class="rollout" aria-label={`Rollout of ${rollout.group}`}>
      <h3><button class="plain" onClick={() => void model.open(`/monitor/groups/${rollout.group}`)}>{rollout.group}</button> <span class={`state is-${rollout.state}`}>{rollout.state}</span></h3>
      <p class="dim">{rollout.content.slice(0, 8)} by {rollout.author}, {age(now - rollout.started)} ago{rollout.message !== '' && `: ${rollout.message}`}</p>
      <Steps rollout={rollout} />
      <p role="status">{rollout.summary}</p>
      {!rollout.over && <Agents rollout={rollout} />}
      <Verdicts rollout={rollout} />
      {!rollout.over && <p class={rollout.driver === null ? 'warn' : 'dim'}>{rollout.driver === null ? 'No program continues it: run “monitor-config rollout controller”, or “rollout watch”. ' : `${rollout.driver} continues it. `}
        {rollout.ends_by_itself !== null && <>Its changes end by themselves: <span class="countdown">{left(rollout.ends_by_itself, model.clock.value)}</span>, unless it is continued.</>}</p>}
      <Operate rollout={rollout} rollouts={rollouts} token={model} />
      <details><summary>Events and earlier rollouts</summary>
        <ul>{events.map((one, i) => <li key={i}><span class="dim">{age(now - one.time)} ago</span> <b>{one.event}</b> {one.text}</li>)}</ul>
        {rollout.past.length > 0 && <ul>{rollout.past.map((one) => <li key={one.id}><span class="dim">{age(now - one.started)} ago</span> {one.content.slice(0, 8)} by {one.author}: <b>{one.state}</b>{one.reason !== '' && `: ${one.reason}`}</li>)}</ul>}
      </details>
    </article>
  );
}

export function Rollouts({ model }: { model: ConfigModel }) {
  const rollouts = useMemo(() => new RolloutsModel({ ask, headers: () => model.headers() }), []);
  const live = rollouts.found.value?.rollouts.some((one) => !one.over) ?? false;
  useLayoutEffect(() => {
    void rollouts.refresh();
    const timer = window.setInterval(() => { if (!document.hidden) void rollouts.refresh(); }, live ? LIVE : CALM);
    return () => clearInterval(timer);
  }, [live]);
  const found = rollouts.found.value;
  if (found === null || (found.rollouts.length === 0 && found.faults.length === 0)) return null;
  return (
    <section aria-label="Rollouts">
      <h2>Rollouts</h2>
      {rollouts.fault.value !== '' && <p class="warn" role="alert">{rollouts.fault.value}</p>}
      {inOrder(found.rollouts).map((one) => <One key={one.group} rollout={one} rollouts={rollouts} model={model} />)}
      {found.faults.map((one) => <p key={one.key} class="warn">{one.key} cannot be read: {one.error}</p>)}
    </section>
  );
}
