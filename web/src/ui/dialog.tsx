// A modal dialog that a signal opens and closes. The browser keeps the focus inside and returns it afterwards.
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface Props { open: Signal<boolean>; label: string; class?: string; children: ComponentChildren }

export function Dialog({ open, label, class: kind = '', children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const shown = open.value;
  // Before the next event: the browser tells later that a dialog was closed, when this one may be open again.
  useLayoutEffect(() => {
    const dialog = element.current!;
    if (shown && !dialog.open) dialog.showModal();
    else if (!shown && dialog.open) dialog.close();
  }, [shown]);
  const closed = () => { if (!element.current!.open) open.value = false; };
  const outside = (event: MouseEvent) => { if (event.target === element.current) open.value = false; };
  return (
    <dialog ref={element} class={kind} aria-label={label} onClose={closed} onClick={outside}>
      {shown && <div class="dialog-body">{children}</div>}
    </dialog>
  );
}
