// Messages: the log's records, found by agent, time or place, or followed as they come; and the log itself.
import { useMemo, useRef, useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { go } from '../lib/page';
import { stream } from '../lib/stream';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { settings } from '../state/settings';
import { useEffect } from '../ui/effect';
import { Failed, Skeleton } from '../ui/states';
import type { Found } from './api';
import { Feed } from './feed';
import { Findings, type ListKeys } from './findings';
import { LogStore } from './log_store';
import { LogStrip } from './log_strip';
import type { LogView as LogViewType } from './log_view';
import { parametersOf, planOf, sameList, searchOf, type Plan, type Search } from './search';
import { SearchForm } from './search_form';

const askFound = (parameters: Parameters<typeof ask>[1]) => ask<Found>('/messages', parameters);
const sleep = (milliseconds: number) => new Promise<void>((resolve) => { window.setTimeout(resolve, milliseconds); });

// The search, its list, and the log that both depend on.
function useSearch(parameters: URLSearchParams) {
  const [search, setSearch] = useState(() => searchOf(parameters));
  const [plan, setPlan] = useState<Plan | null>(null);
  const latest = useRef(search);
  const feed = useMemo(() => new Feed(askFound, sleep, () => document.hidden), []);
  const log = useMemo(() => new LogStore(), []);
  const run = async (next: Search) => {
    const made = planOf(next, Date.now() / 1000, settings.zone.value === 'utc', log.log.value?.partitions.length ?? 0);
    setPlan(made);
    if (!await feed.show(made, next.tail)) return;
    const marked = feed.marked.value;
    // What was asked for by its place, or by one agent's time, is opened.
    const one = made.mode === 'offset' || (made.mode !== 'newest' && next.agent !== '' && !/[*?]/.test(next.agent));
    if (one && marked !== null && latest.current.open === '' && sameList(latest.current, next)) put({ ...latest.current, open: marked.id }, 'replace');
  };
  const put = (next: Search, how: 'push' | 'replace' | 'none') => {
    const same = sameList(next, latest.current);
    latest.current = next;
    setSearch(next);
    if (how !== 'none') go('messages', parametersOf(next), how);
    if (!same) void run(next);
  };
  const change = (next: Partial<Search>, how: 'push' | 'replace' = 'replace') => {
    const list = Object.keys(next).some((name) => name !== 'open' && name !== 'view');
    put({ ...latest.current, ...(list ? { open: '', late: false } : {}), ...next }, how);
  };
  useEffect(() => {
    log.start();
    // How many partitions there are decides what an offset means.
    void (search.offset === '' ? Promise.resolve() : log.load()).then(() => run(latest.current));
    stream.attend(() => void log.load());
    return () => {
      log.stop();
      feed.close();
    };
  }, []);
  const replaced = log.replaced.value;
  useEffect(() => { if (replaced > 0) void run(latest.current); }, [replaced]);  // its places mean nothing in another log
  useNewParameters(parameters, (next) => put(searchOf(next), 'none'));
  return { search, plan, feed, log, change, again: () => void run(latest.current) };
}

// Its charts are loaded when they are first shown.
function useLogView(wanted: boolean): typeof LogViewType | null {
  const [view, setView] = useState<{ LogView: typeof LogViewType } | null>(null);
  useEffect(() => { if (wanted && view === null) void import('./log_view').then(setView); }, [wanted]);
  return view?.LogView ?? null;
}

export default function MessagesPage({ parameters }: PageProps) {
  const { search, plan, feed, log, change, again } = useSearch(parameters);
  const form = useRef<HTMLFormElement>(null);
  const keys: ListKeys = useRef(null);
  const LogView = useLogView(search.view === 'log');
  useEffect(() => setActions({
    key: ({ key }) => {
      if (key === '/') form.current?.querySelector<HTMLInputElement>('.in-agent')?.focus();
      else if (key === 't') change({ tail: !searchOf(new URLSearchParams(location.hash.split('?')[1] ?? '')).tail, at: '', offset: '' });
      else if (key === ' ' && feed.tail.value.on) feed.setPaused(!feed.tail.value.paused);
      else return keys.current?.(key) === true;
      return true;
    },
  }), []);
  const shown = log.log.value;
  return (
    <section class="messages-page">
      <header class="messages-title">
        <h1>Messages</h1>
        <div class="segments" role="group" aria-label="View">
          <button aria-pressed={search.view === 'messages'} onClick={() => change({ view: 'messages' }, 'push')}>Messages</button>
          <button aria-pressed={search.view === 'log'} onClick={() => change({ view: 'log' }, 'push')}>Partitions and readers</button>
        </div>
      </header>
      {log.fault.value !== '' && <Failed what="The log cannot be read" why={log.fault.value} retry={() => void log.load()} />}
      {shown === null && log.fault.value === '' && <Skeleton shape="row" />}
      {shown !== null && <LogStrip log={shown} growth={log.growth.value} />}
      {search.view === 'log' && shown !== null && (LogView === null ? <Skeleton shape="chart" /> : <LogView log={shown} />)}
      {search.view === 'messages' && (
        <>
          <SearchForm place={form} search={search} fault={plan?.mode === 'fault' ? plan : null} partitions={shown?.partitions.length ?? 0} change={change} />
          <Findings feed={feed} plan={plan} search={search} log={shown} keys={keys} change={change} again={again} />
        </>
      )}
    </section>
  );
}
