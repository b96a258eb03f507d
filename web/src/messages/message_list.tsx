// The list of messages, newest first. Only the rows in sight are in the DOM.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { clock, count } from '../lib/format';
import { humanValue } from '../lib/human';
import { useEffect } from '../ui/effect';
import { scrollTo, useSight } from '../ui/virtual';
import { idOf, type Message } from './api';
import type { ListKeys } from './findings';

const ROW = 28;
const HEADS: [string, string][] = [['Stored', ''], ['Ticks', 'w-ticks'], ['Key', 'w-key'], ['Partition', 'num w-partition'], ['Offset', 'num w-offset'], ['Sequence', 'num w-sequence'], ['Points', 'num w-points'], ['Size', 'num w-size']];

// "12:00:00.100 to 12:00:00.900 (3)"
function ticksOf({ first_tick: first, last_tick: last, ticks }: Message): string {
  if (first === undefined || last === undefined) return ticks === 0 ? 'no ticks' : '';
  const [from, to] = [clock(first, true).slice(11), clock(last, true).slice(11)];
  return from === to ? from : `${from} to ${to} (${count(ticks ?? 0)})`;
}

interface RowProps { message: Message; index: number; open: boolean; marked: boolean; selected: boolean; choose: () => void }

function Row({ message, index, open, marked, selected, choose }: RowProps) {
  const bad = message.error !== undefined;
  const kind = `message-row${open ? ' is-open' : ''}${marked ? ' is-marked' : ''}${selected ? ' selected' : ''}${bad ? ' bad' : ''}`;
  return (
    <div class={kind} role="row" aria-rowindex={index + 2} style={{ transform: `translateY(${index * ROW}px)` }} data-offset={message.offset} data-partition={message.partition} onClick={choose}>
      <div role="cell"><button class="plain" tabIndex={-1} aria-expanded={open} aria-label={`Message ${message.offset} of partition ${message.partition}`}>{clock(message.time, true)}</button></div>
      <div role="cell" class="w-ticks">{bad ? <span title={message.error}>cannot be decoded: {message.error}</span> : ticksOf(message)}</div>
      <div role="cell" class="w-key" title={message.key}>{message.key}</div>
      <div role="cell" class="num w-partition">{message.partition}</div>
      <div role="cell" class="num w-offset">{message.offset}</div>
      <div role="cell" class="num w-sequence">{message.sequence ?? '–'}</div>
      <div role="cell" class="num w-points">{message.points === undefined ? '–' : count(message.points)}</div>
      <div role="cell" class="num w-size">{humanValue('By', '', message.bytes)}</div>
    </div>
  );
}

// New rows come on top. What is in sight stays, unless the list is at its top.
function useAnchor(body: { current: HTMLElement | null }, rows: Message[]): void {
  const anchor = useRef({ id: '', top: 0 });
  useLayoutEffect(() => {
    const element = body.current!;
    const at = rows.findIndex((one) => idOf(one) === anchor.current.id);
    if (element.scrollTop > ROW && at >= 0) element.scrollTop = at * ROW + anchor.current.top;
    const note = () => {
      const first = Math.floor(element.scrollTop / ROW);
      anchor.current = { id: rows[first] === undefined ? '' : idOf(rows[first]), top: element.scrollTop % ROW };
    };
    note();
    element.addEventListener('scroll', note, { passive: true });
    return () => element.removeEventListener('scroll', note);
  }, [rows]);
}

interface Props { rows: Message[]; keys: ListKeys; open: string; marked: string; choose: (id: string) => void }

export function MessageList({ rows, keys, open, marked, choose }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const [selected, setSelected] = useState('');
  useAnchor(body, rows);
  const { first, many } = useSight(body, ROW, rows.length);
  const show = (id: string) => {
    const at = rows.findIndex((one) => idOf(one) === id);
    const to = at < 0 ? null : scrollTo(at, body.current!.scrollTop, body.current!.clientHeight, ROW, ROW);
    if (to !== null) body.current!.scrollTop = to;
  };
  useEffect(() => { if (marked !== '') show(marked); }, [marked]);
  useEffect(() => { if (open !== '') show(open); }, [open]);
  const toggle = (id: string) => {
    setSelected(id);
    choose(id === open ? '' : id);
  };
  const move = (by: number) => {
    const at = rows.findIndex((one) => idOf(one) === (selected || open || marked));
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next === undefined) return;
    setSelected(idOf(next));
    show(idOf(next));
    if (open !== '') choose(idOf(next));
  };
  const act = (key: string): boolean => {
    if (key.startsWith('Arrow') && document.activeElement?.closest('.message-view')) return false;  // scrolls what has the focus
    if (key === 'ArrowDown' || key === 'j') move(1);
    else if (key === 'ArrowUp' || key === 'k') move(-1);
    else if (key === 'Enter' && selected !== '') toggle(selected);
    else if (key === 'Escape' && open !== '') choose('');
    else return false;
    return true;
  };
  // Before the user's next key, which must find the list as it is shown.
  useLayoutEffect(() => {
    keys.current = act;
    return () => { keys.current = null; };
  });
  return (
    <div ref={body} class="message-body" tabIndex={0} role="table" aria-label="Messages" aria-rowcount={rows.length + 1}>
      <div role="rowgroup" class="sticky"><div class="message-row message-head" role="row">{HEADS.map(([head, kind]) => <div key={head} role="columnheader" class={kind}>{head}</div>)}</div></div>
      <div role="rowgroup" class="message-rows" style={{ height: `${rows.length * ROW}px` }}>
        {rows.slice(first, first + many).map((message, i) => {
          const id = idOf(message);
          return <Row key={id} message={message} index={first + i} open={id === open} marked={id === marked} selected={id === selected} choose={() => toggle(id)} />;
        })}
      </div>
    </div>
  );
}
