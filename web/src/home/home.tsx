// Home: the fleet at a glance. A fleet of one host is that host's page.
import type { ComponentType } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ask, type Fleet } from '../lib/api';
import { go } from '../lib/page';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { FleetStore } from '../state/fleet';
import { useEffect } from '../ui/effect';
import { Failed, Loading, Skeleton } from '../ui/states';
import { Cards } from './cards';
import { choiceOf, parametersOf, viewOf, type HomeChoice } from './choice';
import { EmptyFleet } from './empty';
import type { Known } from '../state/fleet_model';
import { HostMap } from './map';
import { cellsOf, useValues } from './map_values';
import { Problems } from './problem_list';
import { Summary } from './summary';
import { FleetTable } from './table';
import { Toolbar } from './toolbar';
import { labelNames } from './totals';

function MapView({ shown, choice }: { shown: Known[]; choice: HomeChoice }) {
  const values = useValues(choice.by, shown);
  return (
    <>
      {values.fault !== '' && <p class="warn" role="alert">{values.fault}</p>}
      <HostMap cells={cellsOf(shown, values)} most={values.most} scale={[values.show(0), values.show(values.most)]} />
    </>
  );
}

function useMetricNames(wanted: boolean): string[] {
  const [names, setNames] = useState<string[]>([]);
  useEffect(() => {
    if (!wanted || names.length > 0) return;
    fetch('/api/v1/label/__name__/values', { cache: 'no-store' }).then((response) => response.json() as Promise<{ data?: string[] }>).then((given) => setNames(given.data ?? []), () => undefined);
  }, [wanted]);
  return names;
}

function FleetView({ store, parameters }: { store: FleetStore; parameters: URLSearchParams }) {
  const [choice, setChoice] = useState(() => choiceOf(parameters));
  const [selected, setSelected] = useState(-1);
  const latest = useRef(-1);  // known at once, also before the next rendering
  const select = (next: number) => {
    latest.current = next;
    setSelected(next);
  };
  useNewParameters(parameters, (next) => setChoice(choiceOf(next)));
  void store.version.value;
  const chosen = store.model.choose(choice);
  const { shown } = chosen;
  const view = viewOf(choice, store.model.agents.size);
  const names = useMetricNames(view === 'map');
  const change = (next: Partial<HomeChoice>) => {
    const wanted = { ...choice, ...next };
    go('overview', parametersOf(wanted), 'replace');
    setChoice(wanted);
    if ('only' in next || 'text' in next) select(-1);
  };
  useLayoutEffect(() => setActions({
    key(pressed) {
      const one = shown[latest.current];
      const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[pressed.key];
      if (pressed.key === '/') document.querySelector<HTMLElement>('.overview input[type=search]')?.focus();
      else if (by !== undefined) select(Math.min(Math.max(latest.current + by, 0), shown.length - 1));
      else if (pressed.key === 'Enter' && one !== undefined) go('agent', { agents: one.row.agent });
      else return false;
      return true;
    },
  }));
  return (
    <section class={`overview${view === 'cards' ? '' : ' is-full'}`}>
      <h1 class="visually-hidden">Home</h1>
      <Summary store={store} />
      <Problems troubled={chosen.troubled} />
      <Toolbar choice={choice} view={view} chosen={chosen} labels={labelNames([...store.model.agents.values()])} names={names} change={change} />
      {view === 'cards' && <Cards store={store} shown={shown} choice={choice} selected={shown[selected]?.row.agent ?? ''} />}
      {view === 'table' && <FleetTable store={store} shown={shown} choice={choice} selected={selected} change={change} />}
      {view === 'map' && <MapView shown={shown} choice={choice} />}
      {shown.length === 0 && <p class="empty">No host matches.</p>}
    </section>
  );
}

const LOOK_EVERY = 10_000;  // milliseconds, for another agent beside the only one

// The page of the only agent of a fleet, or null while there is none or more than one.
function useOnlyHost(store: FleetStore, parameters: URLSearchParams): { agent: string; Host: ComponentType<PageProps> | null } {
  const [Host, setHost] = useState<ComponentType<PageProps> | null>(null);
  void store.version.value;
  const agents = [...store.model.agents.keys()];
  const agent = store.ready.value && agents.length === 1 && choiceOf(parameters).view === null ? agents[0]! : '';
  useEffect(() => {
    if (agent === '') {
      setHost(null);
      return;
    }
    store.stop();  // the stream belongs to the host's page now
    let over = false;
    void import('../host/host_page').then((module) => { if (!over) setHost(() => module.default); });
    const timer = window.setInterval(() => {
      if (document.hidden) return;
      // A late answer must not take the stream from the view that follows.
      void ask<Fleet>('/fleet').then(({ agents: now }) => { if (!over && (now.length !== 1 || now[0]!.agent !== agent)) store.start(); }, () => undefined);
    }, LOOK_EVERY);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [agent]);
  return { agent, Host: agent === '' ? null : Host };
}

export default function Home({ parameters }: PageProps) {
  const store = useMemo(() => new FleetStore(), []);
  useEffect(() => {
    store.start();
    return () => store.stop();
  }, []);
  const { agent, Host } = useOnlyHost(store, parameters);
  const host = useMemo(() => new URLSearchParams({ ...Object.fromEntries(parameters), agents: agent }), [agent, parameters]);
  if (Host !== null) return <Host parameters={host} />;
  if (store.ready.value && store.model.agents.size > 0 && agent === '') return <FleetView store={store} parameters={parameters} />;
  if (store.ready.value && store.model.agents.size === 0) return <EmptyFleet />;
  if (store.fault.value !== '') return <Failed what="The fleet cannot be read" why={store.fault.value} />;
  return <Loading what="the fleet"><div class="grid-cards"><Skeleton shape="card" many={6} /></div></Loading>;
}
