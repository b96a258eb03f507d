// The dense table, for hundreds of hosts. Its rows are written without components: only those in sight exist.
import { useRef } from 'preact/hooks';
import type { FleetStore } from '../state/fleet';
import { useEffect } from '../ui/effect';
import type { HomeChoice } from './choice';
import { COLUMNS, type Known } from '../state/fleet_model';
import { FleetRows, ROW } from './fleet_rows';

interface Props { store: FleetStore; shown: Known[]; choice: HomeChoice; selected: number; change: (next: Partial<HomeChoice>) => void }

function Head({ choice, change }: Pick<Props, 'choice' | 'change'>) {
  const sort = (key: string) => change({ order: key, down: choice.order === key ? !choice.down : !['agent', 'host'].includes(key) });
  return (
    <div class="fleet-head fleet-row" role="row">
      {COLUMNS.map(({ key, head, class: kind }) => (head === ''
        ? <div key={key} role="columnheader" class={kind} aria-label="past 5 min" />
        : <div key={key} role="columnheader" class={kind} aria-sort={key === choice.order ? (choice.down ? 'descending' : 'ascending') : 'none'}><button class="sort" onClick={() => sort(key)}>{head}</button></div>))}
    </div>
  );
}

export function FleetTable({ store, shown, choice, selected, change }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const rows = useRef<FleetRows | null>(null);
  const latest = useRef({ shown, selected });
  latest.current = { shown, selected };
  const write = () => {
    const { scrollTop: top, clientHeight: height } = body.current!;
    rows.current?.write(latest.current.shown, latest.current.selected, { top, height }, store.now());
  };
  useEffect(() => {
    const made = new FleetRows();
    rows.current = made;
    place.current!.replaceWith(made.element);
    let frame = 0;
    const soon = () => { if (frame === 0) frame = requestAnimationFrame(() => { frame = 0; write(); }); };
    const resized = new ResizeObserver(soon);
    const scrolled = body.current!;
    resized.observe(scrolled);
    scrolled.addEventListener('scroll', soon, { passive: true });
    const timer = window.setInterval(write, 1000);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(timer);
      resized.disconnect();
      scrolled.removeEventListener('scroll', soon);  // the browser tells of a scroll at its next frame, when the table may be gone
    };
  }, []);
  useEffect(write);
  useEffect(() => { body.current!.scrollTop = 0; }, [choice.order, choice.down, choice.only, choice.text]);  // other rows follow, so start at the top
  useEffect(() => {
    const { scrollTop, clientHeight } = body.current!;
    if (selected * ROW < scrollTop) body.current!.scrollTop = selected * ROW;
    if ((selected + 2) * ROW > scrollTop + clientHeight) body.current!.scrollTop = (selected + 2) * ROW - clientHeight;
  }, [selected]);
  return (
    <div ref={body} class="fleet-body" tabIndex={0} role="table" aria-label="Hosts" aria-rowcount={shown.length + 1}>
      <div role="rowgroup" class="sticky"><Head choice={choice} change={change} /></div>
      <div ref={place} />
    </div>
  );
}
