// A page that is still written without components, inside the shell.
import { effect } from '@preact/signals';
import type { VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { MakePage, Page } from '../lib/page';
import { setActions, useNewParameters, type PageProps } from '../shell/pages';
import { isDark } from '../state/settings';

export function legacy(make: MakePage): (props: PageProps) => VNode {
  return function Legacy({ parameters }: PageProps) {
    const place = useRef<HTMLDivElement>(null);
    const page = useRef<Page | null>(null);
    useLayoutEffect(() => {
      const made = make(parameters);
      page.current = made;
      place.current!.replaceChildren(made.element);
      const forget = setActions({ key: (pressed) => made.key?.(pressed) === true, unsaved: () => made.unsaved?.() === true });
      const stop = effect(() => {
        isDark();
        made.recolour?.();
      });
      return () => {
        stop();
        forget();
        made.close?.();
        page.current = null;
      };
    }, []);
    useNewParameters(parameters, (next) => page.current?.update?.(next));
    return <div class="legacy" ref={place} />;
  };
}
