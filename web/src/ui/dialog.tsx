// A modal dialog that a signal opens and closes. The browser keeps the focus inside and returns it afterwards.
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props { open: Signal<boolean>; label: string; class?: string; children: ComponentChildren }

export function Dialog({ open, label, class: kind = '', children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const shown = open.value;
  useEffect(() => {
    const dialog = element.current!;
    if (shown && !dialog.open) dialog.showModal();
    else if (!shown && dialog.open) dialog.close();
  }, [shown]);
  const outside = (event: MouseEvent) => { if (event.target === element.current) open.value = false; };
  return (
    <dialog ref={element} class={kind} aria-label={label} onClose={() => { open.value = false; }} onClick={outside}>
      {shown && <div class="dialog-body">{children}</div>}
    </dialog>
  );
}
