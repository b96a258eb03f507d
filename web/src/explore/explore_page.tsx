// Explore: a query, its answer as a graph, a heat map or a table, shared by its address.
import { useRef, useState } from 'preact/hooks';
import { clock } from '../lib/format';
import { go, link } from '../lib/page';
import { stream } from '../lib/stream';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { useEffect } from '../ui/effect';
import { Empty, Failed } from '../ui/states';
import { choiceOf, parametersOf, SPANS, VIEWS, type Choice, type View } from './choice';
import { Graph } from './graph';
import { HeatMap } from './heat_view';
import { past, remember } from './past';
import { linesOf, query, QueryError, samplesOf, stepOf, type Place, type Row, type Sample } from './query';
import { QueryField } from './query_field';
import { SampleTable } from './sample_table';

const STARTS = ['avg by (agent) (system_cpu_utilization_ratio{cpu_mode=""})', 'topk(5, system_memory_utilization_ratio)', 'sum by (agent) (system_disk_io_rate_bytes_per_second)'];

interface Shown { view: View; rows: Row[]; samples: Sample[]; warnings: string[]; from: number; to: number; step: number; took: number; expression: string }

async function load({ text, view, span, range }: Choice): Promise<Shown> {
  const expression = text.trim();
  const step = stepOf(range === null ? span : range[1] - range[0]);
  const to = range?.[1] ?? Date.now() / 1000;
  const from = range?.[0] ?? to - span;
  const begin = performance.now();
  const answer = view === 'table'
    ? await query('query', { query: expression, time: to.toFixed(3) })
    : await query('query_range', { query: expression, start: from.toFixed(3), end: to.toFixed(3), step: String(step) });
  return { view, rows: view === 'table' ? [] : (answer.result as Row[]), samples: view === 'table' ? samplesOf(answer) : [], warnings: answer.warnings, from, to, step, took: performance.now() - begin, expression };
}

function Result({ shown, zoom }: { shown: Shown; zoom: (range: [number, number] | null) => void }) {
  const { view, rows, samples, from, to, step, expression } = shown;
  const many = view === 'table' ? samples.length : rows.length;
  return (
    <>
      <p class="dim info">{many === 1 ? '1 series' : `${many} series`}{view === 'table' ? '' : ` · every ${step} s`} · {shown.took.toFixed(0)} ms</p>
      {shown.warnings.map((one) => <p key={one} class="warn">{one}</p>)}
      {many === 0 && <Empty icon="explore" title="No values"><p class="dim">The query is right, and nothing in this time fits it.</p></Empty>}
      {view === 'graph' && many > 0 && <Graph lines={linesOf(rows)} from={from} to={to} step={step} expression={expression} zoom={zoom} />}
      {view === 'heat' && many > 0 && <HeatMap rows={rows} from={from} to={to} step={step} expression={expression} />}
      {view === 'table' && many > 0 && <SampleTable samples={samples} />}
    </>
  );
}

function Starts({ choose }: { choose: (text: string) => void }) {
  return (
    <Empty icon="explore" title="Ask for anything that is stored">
      <p class="dim">Names, labels and functions are completed as you type. Enter runs the query.</p>
      <ul class="starts">{[...past(), ...STARTS].slice(0, 8).map((one) => <li key={one}><button class="plain" onClick={() => choose(one)}><code>{one}</code></button></li>)}</ul>
    </Empty>
  );
}

function Tools({ choice, busy, shown, run }: { choice: Choice; busy: boolean; shown: Shown | null; run: (change: Partial<Choice>) => void }) {
  const { view, span, range } = choice;
  return (
    <div class="tools">
      <button class="main" disabled={busy} onClick={() => run({})}>Run</button>
      <div class="segments" role="group" aria-label="View">{VIEWS.map(([id, title]) => <button key={id} aria-pressed={view === id} onClick={() => run({ view: id })}>{title}</button>)}</div>
      {view !== 'table' && <div class="segments" role="group" aria-label="Time">{SPANS.map(([label, seconds]) => <button key={label} aria-pressed={range === null && span === seconds} onClick={() => run({ span: seconds, range: null })}>{label}</button>)}</div>}
      {range !== null && <button class="range-chip" aria-pressed="true" title="Back to the newest values" onClick={() => run({ range: null })}>{view === 'table' ? `at ${clock(range[1])}` : `${clock(range[0])} – ${clock(range[1]).slice(11)}`} ×</button>}
      <span class="grow" />
      {shown !== null && <a class="button make-rule" href={link('rule', { q: shown.expression })}>Make a rule of this</a>}
    </div>
  );
}

export default function Explore({ parameters }: PageProps) {
  const [choice, setChoice] = useState<Choice>(() => choiceOf(parameters));
  const [shown, setShown] = useState<Shown | null>(null);
  const [fault, setFault] = useState<[string, Place | null]>(['', null]);
  const [busy, setBusy] = useState(false);
  const turn = useRef(0);
  const show = async (next: Choice) => {
    setChoice(next);
    setFault(['', null]);
    const mine = ++turn.current;
    if (next.text.trim() === '') {
      setShown(null);
      return;
    }
    setBusy(true);
    try {
      const found = await load(next);
      if (mine !== turn.current) return;
      setShown(found);
      remember(found.expression);
    } catch (error) {
      if (mine !== turn.current) return;
      setFault([(error as Error).message, error instanceof QueryError ? error.place : null]);
      setShown(null);
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  };
  const typed = useRef(choice.text);
  const run = (change: Partial<Choice>) => {
    const next = { ...choice, text: typed.current, ...change };
    go('explore', parametersOf(next), 'push');
    void show(next);
  };
  const follow = (next: URLSearchParams) => {
    typed.current = choiceOf(next).text;
    void show(choiceOf(next));
  };
  useEffect(() => {
    follow(parameters);
    stream.attend();
    const focus = () => document.querySelector('.query-place')?.shadowRoot?.querySelector<HTMLElement>('.cm-content')?.focus();
    return setActions({ key: (pressed) => { if (pressed.key === '/') focus(); return pressed.key === '/'; } });
  }, []);
  useNewParameters(parameters, follow);
  const [message, place] = fault;
  return (
    <section class="explore">
      <h1>Explore</h1>
      <QueryField value={choice.text} fault={message} at={place} label="Query" run={() => run({})} changed={(text) => { typed.current = text; }} />
      <Tools choice={choice} busy={busy} shown={shown} run={run} />
      {message !== '' && <Failed what="The query has no answer" why={message} />}
      {message === '' && shown === null && !busy && <Starts choose={(text) => run({ text })} />}
      {shown !== null && <Result shown={shown} zoom={(range) => run({ range })} />}
    </section>
  );
}
