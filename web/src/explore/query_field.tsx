// The editor of queries as a field. It is loaded after the page has been shown.
import { useRef, useState } from 'preact/hooks';
import { useEffect } from '../ui/effect';
import { Skeleton } from '../ui/states';
import type { Editor } from './editor';
import type { Place } from './query';

interface Props { value: string; fault: string; at: Place | null; label: string; run: () => void; changed: (text: string) => void }

export function QueryField({ value, fault, at, label, run, changed }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const [ready, setReady] = useState(false);
  const latest = useRef({ run, changed, value });
  latest.current = { run, changed, value };
  useEffect(() => {
    let over = false;
    void import('./editor').then(({ createEditor }) => {
      if (over) return;
      editor.current = createEditor(place.current!, latest.current.value, () => latest.current.run(), (text) => latest.current.changed(text));
      setReady(true);
    });
    return () => {
      over = true;
      editor.current?.close();
      editor.current = null;
    };
  }, []);
  useEffect(() => { if (editor.current !== null && editor.current.text() !== value) editor.current.set(value); }, [value, ready]);
  useEffect(() => { editor.current?.fault(fault, at); }, [fault, at?.line, at?.column, ready]);
  return <div ref={place} class="query-place" role="group" aria-label={label}>{!ready && <Skeleton shape="row" />}</div>;
}
