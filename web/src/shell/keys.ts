// Keys of the whole page: `g` and a letter go to a page, Ctrl-K opens the palette; others belong to the page that is shown.
import { currentActions, PAGES } from './pages';
import { helpOpen, paletteOpen, settingsOpen } from './overlays';
import { go } from '../lib/page';
import { session } from '../lib/session';
import { toggleTheme } from '../state/settings';

let prefix = false;  // `g` was pressed

function control(pressed: KeyboardEvent): void {
  if (pressed.key.toLowerCase() === 'k') {
    pressed.preventDefault();
    paletteOpen.value = !paletteOpen.value;
  } else if (pressed.key === 's') {
    currentActions().key?.(pressed);
  }
}

function plain(pressed: KeyboardEvent): boolean {
  if (prefix) {
    prefix = false;
    const wanted = PAGES.find((one) => one.key === pressed.key);
    if (wanted !== undefined) {
      go(wanted.name);
      return true;
    }
  }
  if (pressed.key === 'g') prefix = true;
  else if (pressed.key === '?') helpOpen.value = !helpOpen.value;
  else if (pressed.key === ',') settingsOpen.value = !settingsOpen.value;
  else if (pressed.key === 'd') toggleTheme();
  else return document.querySelector('dialog[open]') === null && currentActions().key?.(pressed) === true;
  return true;
}

export function onKey(pressed: KeyboardEvent): void {
  const target = pressed.composedPath()[0] as HTMLElement;  // also inside of a shadow root
  const writes = ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) || target.isContentEditable;
  if (pressed.key === 'Escape' && writes && target.closest('dialog') === null) {
    pressed.preventDefault();  // the default would clear a search field
    target.blur();
  }
  if (session.locked) return;
  if (pressed.ctrlKey || pressed.metaKey) {
    control(pressed);  // other keys belong to the browser
    return;
  }
  if (pressed.altKey || writes) return;
  // Enter and space act on the focused element, not on a selected row.
  if (['Enter', ' '].includes(pressed.key) && target.closest('a, button, summary') !== null) return;
  if (plain(pressed)) pressed.preventDefault();
}
