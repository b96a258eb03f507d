// A field with the names that fit what is typed, below it. The names are chosen by the mouse or with the arrow keys.
import { useId, useRef, useState } from 'preact/hooks';
import { fitting } from './fitting';

interface Props {
  names: string[];
  label: string;
  placeholder: string;
  class: string;
  pick: (name: string) => Promise<string>;  // the result says why the name is refused; empty: it is not
}

export function Combobox({ names, label, placeholder, class: kind, pick }: Props) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [shown, setShown] = useState(false);
  const [at, setAt] = useState(-1);
  const found = fitting(names, typed);
  const list = shown && found.length > 0;
  const show = () => setShown(true);
  const take = async (name: string) => {
    if (name === '') return;
    setShown(false);
    const fault = await pick(name);
    field.current?.setCustomValidity(fault);
    if (fault !== '') field.current?.reportValidity();
    else setTyped('');
  };
  const onKey = (pressed: KeyboardEvent) => {
    if (pressed.key === 'ArrowDown' || pressed.key === 'ArrowUp') {
      show();
      setAt(Math.min(Math.max(at + (pressed.key === 'ArrowDown' ? 1 : -1), 0), found.length - 1));
    } else if (pressed.key === 'Enter') void take(list && found[at] !== undefined ? found[at]! : typed.trim());
    else if (pressed.key === 'Escape' && list) setShown(false);
    else return;
    pressed.preventDefault();
    pressed.stopPropagation();
  };
  const onInput = (text: string) => {
    field.current!.setCustomValidity('');
    setTyped(text);
    setAt(text === '' ? -1 : 0);
    show();
  };
  return (
    <span class="combobox">
      <input ref={field} class={kind} value={typed} placeholder={placeholder} aria-label={label} role="combobox" aria-autocomplete="list" aria-expanded={list} aria-controls={id}
        aria-activedescendant={list && at >= 0 ? `${id}-${at}` : undefined} autocomplete="off" spellcheck={false}
        onFocus={show} onClick={show} onBlur={() => setShown(false)} onKeyDown={onKey} onInput={(event) => onInput(event.currentTarget.value)} />
      <ul id={id} role="listbox" aria-label={label} hidden={!list} onMouseDown={(event) => event.preventDefault() /* the field keeps the focus */}>
        {list && found.map((name, i) => <li key={name} id={`${id}-${i}`} role="option" aria-selected={i === at} onClick={() => void take(name)}>{name}</li>)}
      </ul>
    </span>
  );
}
