// Chooses the columns of the ledger's table.
import { useRef, useState } from 'preact/hooks';
import { useEffect } from '../ui/effect';
import { Icon } from '../ui/icon';
import { COLUMNS, FIRST } from './columns';

export function ColumnMenu({ chosen, choose }: { chosen: string[]; choose: (keys: string[]) => void }) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const close = (event: Event) => { if (!(event.target instanceof Node) || !place.current!.contains(event.target)) setOpen(false); };
    document.addEventListener('pointerdown', close);
    place.current!.querySelector('input')?.focus();
    return () => document.removeEventListener('pointerdown', close);
  }, [open]);
  const toggle = (key: string) => choose(COLUMNS.map((one) => one.key).filter((one) => (one === key ? !chosen.includes(key) : chosen.includes(one))));
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    setOpen(false);
    place.current!.querySelector('button')?.focus();
  };
  return (
    <div class="menu-place" ref={place} onKeyDown={keys}>
      <button aria-expanded={open} onClick={() => setOpen(!open)}><Icon name="table" size={14} />Columns</button>
      {open && (
        <div class="menu" role="group" aria-label="Columns">
          {COLUMNS.map((one) => <label key={one.key} title={one.explain}><input type="checkbox" checked={chosen.includes(one.key)} disabled={chosen.length === 1 && chosen.includes(one.key)} onChange={() => toggle(one.key)} /><span>{one.head}</span><span class="dim">{one.explain}</span></label>)}
          <button class="plain" onClick={() => choose(FIRST)}>As at the start</button>
        </div>
      )}
    </div>
  );
}
