// Explore: a query, its answer as a graph or a table, shared by its address.
import { useEffect, useRef, useState } from 'preact/hooks';
import { go } from '../lib/page';
import { stream } from '../lib/stream';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { Command, Empty, Failed, Skeleton } from '../ui/states';
import type { Editor } from './editor';
import { Graph } from './graph';
import { linesOf, query, QueryError, ruleOf, samplesOf, stepOf, type Place, type Row, type Sample } from './query';
import { past, remember } from './past';
import { SampleTable } from './sample_table';

const SPANS: [string, number][] = [['5 min', 300], ['15 min', 900], ['1 h', 3600], ['6 h', 21_600], ['24 h', 86_400], ['7 d', 604_800]];
const VIEWS = ['graph', 'table'] as const;
type View = (typeof VIEWS)[number];
const STARTS = ['avg by (agent) (system_cpu_utilization_ratio{cpu_mode=""})', 'topk(5, system_memory_utilization_ratio)', 'sum by (agent) (system_disk_io_rate_bytes_per_second)'];

interface Shown { rows: Row[]; samples: Sample[]; warnings: string[]; from: number; to: number; step: number; took: number; expression: string }

const spanOf = (parameters: URLSearchParams): number => Number(parameters.get('span')) || 3600;
const viewOf = (parameters: URLSearchParams): View => (parameters.get('view') === 'table' ? 'table' : 'graph');

async function load(expression: string, view: View, span: number): Promise<Shown> {
  const to = Date.now() / 1000;
  const from = to - span;
  const step = stepOf(span);
  const begin = performance.now();
  const answer = view === 'graph'
    ? await query('query_range', { query: expression, start: from.toFixed(3), end: to.toFixed(3), step: String(step) })
    : await query('query', { query: expression, time: to.toFixed(3) });
  return { rows: view === 'graph' ? (answer.result as Row[]) : [], samples: view === 'table' ? samplesOf(answer) : [], warnings: answer.warnings, from, to, step, took: performance.now() - begin, expression };
}

// The editor is loaded after the page has been shown.
function useEditor(text: string, run: () => void): { place: { current: HTMLDivElement | null }; editor: { current: Editor | null }; ready: boolean } {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const [ready, setReady] = useState(false);
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    let over = false;
    void import('./editor').then(({ createEditor }) => {
      if (over) return;
      editor.current = createEditor(place.current!, text, () => latest.current(), () => undefined);
      setReady(true);
    });
    return () => {
      over = true;
      editor.current?.close();
      editor.current = null;
    };
  }, []);
  return { place, editor, ready };
}

function Result({ view, shown }: { view: View; shown: Shown }) {
  const many = view === 'graph' ? shown.rows.length : shown.samples.length;
  return (
    <>
      <p class="dim info">{many === 1 ? '1 series' : `${many} series`}{view === 'graph' ? ` · every ${shown.step} s` : ''} · {shown.took.toFixed(0)} ms</p>
      {shown.warnings.map((one) => <p key={one} class="warn">{one}</p>)}
      {many === 0 && <Empty icon="explore" title="No values"><p class="dim">The query is right, and nothing in this time fits it.</p></Empty>}
      {view === 'graph' && many > 0 && <Graph lines={linesOf(shown.rows)} from={shown.from} to={shown.to} step={shown.step} expression={shown.expression} />}
      {view === 'table' && many > 0 && <SampleTable samples={shown.samples} />}
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

export default function Explore({ parameters }: PageProps) {
  const [span, setSpan] = useState(spanOf(parameters));
  const [view, setView] = useState<View>(viewOf(parameters));
  const [shown, setShown] = useState<Shown | null>(null);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const [rule, setRule] = useState(false);
  const turn = useRef(0);
  const faultAt = useRef<Place | null>(null);
  const run = async (text = editor.current?.text() ?? '', next: { span?: number; view?: View } = {}, how: 'push' | 'replace' = 'push') => {
    const expression = text.trim();
    const [wantedSpan, wantedView] = [next.span ?? span, next.view ?? view];
    go('explore', { ...(expression === '' ? {} : { q: expression }), ...(wantedSpan === 3600 ? {} : { span: String(wantedSpan) }), ...(wantedView === 'graph' ? {} : { view: wantedView }) }, how);
    if (expression === '') {
      setShown(null);
      return;
    }
    const mine = ++turn.current;
    setBusy(true);
    try {
      const found = await load(expression, wantedView, wantedSpan);
      if (mine !== turn.current) return;
      setShown(found);
      setFault('');
      editor.current?.fault('', null);
      remember(expression);
    } catch (error) {
      if (mine !== turn.current) return;
      setFault((error as Error).message);
      setShown(null);
      faultAt.current = error instanceof QueryError ? error.place : null;
      editor.current?.fault((error as Error).message, faultAt.current);
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  };
  const { place, editor, ready } = useEditor(parameters.get('q') ?? '', () => void run());
  useEffect(() => {
    stream.follow([], '', () => undefined, () => undefined);  // tells whether the server is there
    return setActions({ key: (pressed) => { if (pressed.key === '/') editor.current?.focus(); return pressed.key === '/'; } });
  }, []);
  const follow = (next: URLSearchParams) => {
    const text = next.get('q') ?? '';
    editor.current?.set(text);
    setSpan(spanOf(next));
    setView(viewOf(next));
    void run(text, { span: spanOf(next), view: viewOf(next) }, 'replace');
  };
  useEffect(() => follow(parameters), []);
  useNewParameters(parameters, follow);
  useEffect(() => { if (ready && fault !== '') editor.current?.fault(fault, faultAt.current); }, [ready]);

  const choose = (text: string) => {
    editor.current?.set(text);
    void run(text);
  };
  const again = (next: { span?: number; view?: View }) => {
    if (next.span !== undefined) setSpan(next.span);
    if (next.view !== undefined) setView(next.view);
    void run(undefined, next);
  };
  return (
    <section class="explore">
      <h1>Explore</h1>
      <div ref={place} class="query-place">{!ready && <Skeleton shape="row" />}</div>
      <div class="tools">
        <button class="main" disabled={busy} onClick={() => void run()}>Run</button>
        <div class="segments" role="group" aria-label="View">{VIEWS.map((one) => <button key={one} aria-pressed={view === one} onClick={() => again({ view: one })}>{one === 'graph' ? 'Graph' : 'Table'}</button>)}</div>
        {view === 'graph' && <div class="segments" role="group" aria-label="Time">{SPANS.map(([label, seconds]) => <button key={label} aria-pressed={span === seconds} onClick={() => again({ span: seconds })}>{label}</button>)}</div>}
        <span class="grow" />
        {shown !== null && <button aria-pressed={rule} onClick={() => setRule(!rule)}>Make a rule of this</button>}
      </div>
      {rule && shown !== null && <Command text={ruleOf(shown.expression)} />}
      {fault !== '' && <Failed what="The query has no answer" why={fault} />}
      {fault === '' && shown === null && !busy && <Starts choose={choose} />}
      {shown !== null && <Result view={view} shown={shown} />}
    </section>
  );
}
