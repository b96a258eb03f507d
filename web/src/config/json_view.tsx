// The text of a document in an editor, which is loaded when it is first shown.
import { effect } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { useEffect } from '../ui/effect';
import { Skeleton } from '../ui/states';
import type { ConfigModel } from './model';

export function JsonView({ model }: { model: ConfigModel }) {
  const place = useRef<HTMLDivElement>(null);
  const [ready, setReady] = useState(false);
  const [fault, setFault] = useState('');
  useEffect(() => {
    let stop = () => undefined as void;
    let over = false;
    import('./editor').then(({ createEditor }) => {
      if (over) return;
      const editor = createEditor(place.current!, { text: model.text.peek(), readOnly: model.readOnly.peek(), schema: () => model.schema.peek(), changed: (text) => model.edit(text) });
      const end = effect(() => {
        editor.set(model.text.value, model.readOnly.value);
        editor.mark(model.problems.value);
      });
      stop = () => {
        end();
        editor.close();
      };
      setReady(true);
    }, (error: Error) => setFault(`The editor cannot be loaded: ${error.message}`));
    return () => {
      over = true;
      stop();
    };
  }, []);
  return (
    <>
      {fault !== '' && <p class="warn" role="alert">{fault}</p>}
      <div ref={place} class="json-place">{!ready && fault === '' && <Skeleton shape="chart" />}</div>
    </>
  );
}
