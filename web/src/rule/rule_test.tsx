// What the rule would have done: a test over the history that is kept.
import { useMemo, useState } from 'preact/hooks';
import { many, took } from '../lib/format';
import { useEffect } from '../ui/effect';
import { Failed, Skeleton } from '../ui/states';
import { lanesOf, reachOf, summaryOf } from './replay';
import type { Replay } from './rule_api';
import type { RuleModel } from './rule_model';
import { TestChart } from './test_chart';
import { Timeline } from './timeline';

export const SPANS: [string, number][] = [['1 h', 3600], ['6 h', 21_600], ['24 h', 86_400], ['7 d', 604_800], ['30 d', 2_592_000]];
export const WEEK = 604_800;

function Result({ replay, expression }: { replay: Replay; expression: string }) {
  const lanes = useMemo(() => lanesOf(replay), [replay]);
  const [margin, setMargin] = useState<[number, number]>([0, 0]);
  const slower = replay.groups.filter((one) => one.step > one.interval);
  return (
    <div class="test-result" style={{ '--left': `${margin[0]}px`, '--right': `${margin[1]}px` }}>
      <p class="test-summary" role="status"><strong>{summaryOf(replay, lanes)}</strong></p>
      <p class="dim test-reach">{reachOf(replay)}{slower.length > 0 && ` To answer in time, it was evaluated every ${took(slower[0]!.step)} instead of every ${took(slower[0]!.interval)}.`} {many(replay.evaluations, 'evaluation')}.</p>
      {replay.failures.map((one) => <p key={one} class="warn" role="alert">{one}</p>)}
      {expression !== '' && <TestChart expression={expression} from={replay.from} to={replay.to} placed={(left, right) => setMargin([left, right])} />}
      {lanes.length > 0 && <Timeline replay={replay} lanes={lanes} />}
    </div>
  );
}

// A long time over many agents takes seconds. Its end is the time limit of a query.
function Busy({ span }: { span: number }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, [span]);
  const label = SPANS.find(([, long]) => long === span)?.[0] ?? took(span);
  return <div aria-busy="true"><p class="dim"><span role="status">Evaluating the rule over {label}</span>{seconds > 0 && ` · ${many(seconds, 'second')}`}</p><Skeleton shape="chart" /></div>;
}

export function RuleTest({ model, span, run }: { model: RuleModel; span: number; run: (span: number) => void }) {
  const { state, result, fault, text } = model.test.value;
  const valid = model.checked.value?.valid !== false;
  const [expression, setExpression] = useState('');
  useEffect(() => { if (state === 'done') setExpression(model.at.value === null ? '' : model.fields.value.expr); }, [result]);
  return (
    <section class="rule-test" aria-label="Test">
      <div class="tools"><h2>What it would have done</h2><span class="grow" />
        <div class="segments" role="group" aria-label="Time of the test">{SPANS.map(([label, seconds]) => <button key={label} aria-pressed={span === seconds} disabled={!valid} onClick={() => run(seconds)}>{label}</button>)}</div>
        {state === 'busy' ? <button onClick={() => model.stopTest()}>Stop</button> : <button class="main" disabled={!valid} onClick={() => run(span)}>Test</button>}
      </div>
      {state === 'none' && <p class="dim">The rule is evaluated over the past, as if it had been there: when it would have been pending, fired and ended.</p>}
      {state === 'busy' && <Busy span={span} />}
      {state === 'failed' && <Failed what="The rule cannot be tested" why={fault} retry={() => run(span)} />}
      {state === 'done' && text !== model.text.value && <p class="warn">The rule has changed since this test.</p>}
      {state === 'done' && result !== null && <Result replay={result} expression={expression} />}
    </section>
  );
}
