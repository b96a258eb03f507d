// What was found: how much of the log was searched, the list, and the message that is open.
import { clock, count, many } from '../lib/format';
import { Icon } from '../ui/icon';
import { Empty, Failed, Skeleton } from '../ui/states';
import { placeOf, type Log } from './api';
import type { Feed } from './feed';
import { between, offsetsOf } from './list';
import { MessageList } from './message_list';
import { MessageView } from './message_view';
import { SeenHint } from './seen_hint';
import { settings } from '../state/settings';
import type { Plan, Search } from './search';

const MANY = 20_000;  // messages that were examined in vain

// Acts on a key for the list; true: it has used it.
export type ListKeys = { current: ((key: string) => boolean) | null };

interface Props { feed: Feed; plan: Plan | null; search: Search; log: Log | null; keys: ListKeys; change: (next: Partial<Search>, how?: 'push' | 'replace') => void; again: () => void }

// How the search stands, in words.
function stateOf(feed: Feed, plan: Plan): string {
  const { lookedAt, left, busy, stopped } = feed.progress.value;
  const rows = feed.rows.value.length;
  const shown = rows === 0 ? (busy ? 'Searching' : 'No message matches') : `${many(rows, 'message')}, newest first`;
  const order = plan.mode === 'around' || plan.mode === 'late' ? ` · around ${clock(plan.moment.from, plan.moment.width < 1)}${settings.zone.value === 'utc' ? ' UTC' : ''}` : '';
  const looked = rows === 0 || left > 0 || busy ? ` · ${count(lookedAt)} examined` : '';
  const rest = left > 0 && (busy || stopped) ? `, ${count(left)} left` : '';
  return `${shown}${order}${looked}${rest}${busy && rows > 0 ? ' · searching' : ''}${stopped ? ' · stopped' : ''}`;
}

function TailState({ feed, log }: Pick<Props, 'feed' | 'log'>) {
  const { paused, skipped, gone, released, fault } = feed.tail.value;
  const ends = new Map((log?.partitions ?? []).map((one) => [one.partition, one.end]));
  const place = offsetsOf(feed.place.value);
  const waiting = between(place, new Map([...place.keys()].map((partition) => [partition, ends.get(partition) ?? 0])));
  return (
    <p class="tail-state" role="status">
      <button class="pause-button" title="Pause or continue  space" onClick={() => feed.setPaused(!paused)}><Icon name={paused ? 'play' : 'pause'} size={12} />{paused ? 'Continue' : 'Pause'}</button>
      <span class={paused ? '' : 'good'}>{paused ? `Paused · ${many(waiting, 'newer message')} in the log` : 'Following the log'}</span>
      <span class="skipped">{skipped === 0 ? 'none skipped' : `${many(skipped, 'message')} of the log skipped, because they came faster than they can be shown`}</span>
      {gone > 0 && <span class="warn">{many(gone, 'message')} deleted by retention before the page came to them</span>}
      {released > 0 && <span class="dim">{many(released, 'older row')} left the list</span>}
      {fault !== '' && <span class="warn">{fault}; trying again</span>}
    </p>
  );
}

// The moment has no message of its own.
function NotThere({ feed, plan, change }: Pick<Props, 'feed' | 'change'> & { plan: Plan }) {
  const marked = feed.marked.value;
  if (plan.mode !== 'around' || feed.progress.value.busy || (marked !== null && marked.off < 1)) return null;
  const off = marked === null ? '' : ` The nearest tick is ${marked.off.toFixed(1)} s away.`;
  return (
    <p class="not-there">No message that was stored around this time has a tick of it.{off} Late messages are stored after a delay: <button class="plain" onClick={() => change({ late: true })}>search all later messages for it</button></p>
  );
}

export function Findings({ feed, plan, search, log, keys, change, again }: Props) {
  if (plan === null) return <Skeleton shape="row" many={6} />;
  if (plan.mode === 'fault') return null;
  const rows = feed.rows.value;
  const { busy } = feed.progress.value;
  const place = placeOf(search.open);
  const one = search.agent !== '' && !/[*?]/.test(search.agent);
  return (
    <div class={place === null ? 'findings' : 'findings has-open'}>
      <div class="findings-state">
        <p class="dim info" role="status">{stateOf(feed, plan)}</p>
        {busy && <button class="stop-button" onClick={() => feed.stop()}>Stop</button>}
        <span class="grow" />
        {!busy && plan.mode !== 'newest' && feed.newer.value !== null && <button class="newer-button" onClick={() => void feed.goNewer()}>Newer messages</button>}
        {!busy && feed.older.value !== null && <button class="older-button" onClick={() => void feed.goOlder()}>Older messages</button>}
      </div>
      {feed.tail.value.on && <TailState feed={feed} log={log} />}
      <NotThere feed={feed} plan={plan} change={change} />
      {one && plan.mode === 'newest' && rows.length === 0 && (feed.loaded.value || feed.progress.value.lookedAt > MANY) && <SeenHint agent={search.agent} look={(at) => change({ at: Math.floor(at).toString(), since: '', until: '', tail: false }, 'push')} />}
      {feed.fault.value !== '' && <Failed what="The messages cannot be read" why={feed.fault.value} retry={again} />}
      {rows.length === 0 && !feed.loaded.value && feed.fault.value === '' && <Skeleton shape="row" many={6} />}
      {rows.length === 0 && feed.loaded.value && !busy && feed.fault.value === '' && (
        <Empty icon="messages" title="No message matches"><p class="dim">{one ? `Nothing is stored under the key “${search.agent}” in what was searched. A pattern such as ${search.agent}* finds more.` : 'Nothing in what was searched fits the fields above.'}</p></Empty>
      )}
      {rows.length > 0 && <MessageList rows={rows} keys={keys} open={search.open} marked={feed.marked.value?.id ?? ''} choose={(id) => change({ open: id })} />}
      {place !== null && <MessageView key={search.open} partition={place.partition} offset={place.offset} close={() => change({ open: '' })} />}
    </div>
  );
}
