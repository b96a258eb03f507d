// The keys, in words.
import { Dialog } from '../ui/dialog';
import { helpOpen } from './overlays';
import { PAGES } from './pages';

const KEYS: [string, string][] = [
  ['Ctrl-K', 'find a host, metric, page or action'],
  ['g, then a letter', PAGES.map((one) => `${one.key} ${one.title}`).join(', ')],
  ['/', 'filter or search'],
  ['j k, Enter', 'select a host, open it'],
  ['← → + - 0', 'charts: earlier, later, zoom, live'],
  ['t, space', 'messages: tail, pause'],
  ['Ctrl-S', 'configuration: save'],
  ['d', 'light or dark'],
  [',', 'settings'],
  ['?', 'this help'],
  ['Esc', 'leave a field, close'],
];

export function Help() {
  return (
    <Dialog open={helpOpen} label="Keys">
      <h2>Keys</h2>
      <dl class="keys">{KEYS.map(([keys, what]) => <><dt><kbd>{keys}</kbd></dt><dd>{what}</dd></>)}</dl>
      <div class="dialog-end"><button onClick={() => { helpOpen.value = false; }}>Close</button></div>
    </Dialog>
  );
}
