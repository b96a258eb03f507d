// A modal dialog that a signal opens and closes. The browser keeps the focus inside and returns it afterwards.
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

// `stays`: the user cannot close it.
interface Props { open: Signal<boolean>; label: string; class?: string; stays?: boolean; children: ComponentChildren }

export function Dialog({ open, label, class: kind = '', stays = false, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const shown = open.value;
  // Before the next event: the browser tells later that a dialog was closed, when this one may be open again.
  useLayoutEffect(() => {
    const dialog = element.current!;
    if (shown && !dialog.open) dialog.showModal();
    else if (!shown && dialog.open) dialog.close();
  }, [shown]);
  const closed = () => {
    const dialog = element.current;  // null: its view is gone; the browser tells later
    if (dialog === null || dialog.open) return;
    if (stays && open.value) dialog.showModal();  // Esc closes a dialog, whether its event is cancelled or not
    else open.value = false;
  };
  const outside = (event: MouseEvent) => { if (event.target === element.current && !stays) open.value = false; };
  return (
    <dialog ref={element} class={kind} aria-label={label} onClose={closed} onClick={outside}>
      {shown && <div class="dialog-body">{children}</div>}
    </dialog>
  );
}
