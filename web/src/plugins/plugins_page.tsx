// Plugins: each plugin over the fleet, and how to write one.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { count, many } from '../lib/format';
import { go, link } from '../lib/page';
import { stream } from '../lib/stream';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { useEffect } from '../ui/effect';
import { Failed, Loading, Skeleton } from '../ui/states';
import { matching, pluginsOf, refusedName, type Reports } from './fleet_plugins';
import { usePast } from './past';
import { PluginCard } from './plugin_card';
import { Start } from './start';

const EVERY = 3000;  // milliseconds

interface PluginChoice { filter: string; open: string }
const choiceOf = (parameters: URLSearchParams): PluginChoice => ({ filter: parameters.get('agent') ?? parameters.get('filter') ?? '', open: parameters.get('plugin') ?? '' });

function useReports(): { reports: Reports | null; fault: string; load: () => void } {
  const [reports, setReports] = useState<Reports | null>(null);
  const [fault, setFault] = useState('');
  const load = () => ask<Reports>('/plugins').then((found) => {
    setReports(found);
    setFault('');
  }, (error: Error) => setFault(error.message));
  useEffect(() => {
    const timer = window.setInterval(() => { if (!document.hidden) void load(); }, EVERY);
    stream.attend(() => void load());
    void load();
    return () => clearInterval(timer);
  }, []);
  return { reports, fault, load: () => void load() };
}

function Unnamed({ reports }: { reports: Reports }) {
  const others = reports.refused.filter((one) => refusedName(one.reason) === '');
  if (others.length === 0) return null;
  return <ul class="wrongs" aria-label="Refused configurations">{others.slice(0, 5).map((one) => <li key={one.agent}><a href={link('config', { agent: one.agent })}>{one.agent}</a> refuses its configuration: <span class="warn">{one.reason}</span></li>)}</ul>;
}

export default function PluginsPage({ parameters }: PageProps) {
  const [choice, setChoice] = useState(() => choiceOf(parameters));
  useNewParameters(parameters, (next) => setChoice(choiceOf(next)));
  const { reports, fault, load } = useReports();
  const field = useRef<HTMLInputElement>(null);
  const change = (next: Partial<PluginChoice>) => {
    const wanted = { ...choice, ...next };
    go('plugins', { ...(wanted.filter === '' ? {} : { filter: wanted.filter }), ...(wanted.open === '' ? {} : { plugin: wanted.open }) }, 'replace');
    setChoice(wanted);
  };
  useLayoutEffect(() => setActions({
    key(pressed) {
      if (pressed.key === '/') field.current?.focus();
      else if (pressed.key === 'Escape' && choice.open !== '') change({ open: '' });
      else return false;
      return true;
    },
  }));
  const all = reports === null ? [] : pluginsOf(reports);
  const past = usePast(all.length > 0);
  const shown = matching(all, choice.filter);
  const hosts = new Set(all.flatMap((one) => one.instances.map((own) => own.agent))).size;
  const bad = all.flatMap((one) => one.states).filter(([state]) => state !== 'active' && state !== 'shadow').reduce((sum, [, n]) => sum + n, 0);
  return (
    <section class="plugins-page">
      <h1>Plugins</h1>
      {fault !== '' && <Failed what="The plugins cannot be read" why={fault} retry={load} />}
      {reports === null && fault === '' && <Loading what="the plugins"><Skeleton shape="tile" many={3} /></Loading>}
      {reports !== null && all.length > 0 && (
        <>
          <div class="tools">
            <input ref={field} type="search" value={choice.filter} placeholder="Filter agents and plugins  /" aria-label="Filter agents and plugins" onInput={(event) => change({ filter: event.currentTarget.value })} />
            <p class="dim" role="status">{many(shown.length, 'plugin')}{shown.length < all.length && ` of ${count(all.length)}`} on {many(hosts, 'host')}; {bad === 0 ? 'all work' : <span class="warn">{count(bad)} in trouble</span>}</p>
          </div>
          <Unnamed reports={reports} />
          <div class="plugin-list">{shown.map((one) => <PluginCard key={one.name} plugin={one} past={past} open={choice.open === one.name} filter={choice.filter} toggle={() => change({ open: choice.open === one.name ? '' : one.name })} />)}</div>
          {shown.length === 0 && <p class="empty">No plugin and no agent matches.</p>}
          <details class="plugin-start"><summary>How to write one</summary><Start known={reports.known} /></details>
        </>
      )}
      {reports !== null && all.length === 0 && <><Unnamed reports={reports} /><Start known={reports.known} /></>}
    </section>
  );
}
