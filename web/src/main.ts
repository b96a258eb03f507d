// The shell: the bar, which page is shown, keys, and what everybody must know (no connection, no log).
import 'uplot/dist/uPlot.min.css';
import './app.css';
import { agentPage } from './agent';
import { ask, Status } from './api';
import { configuration } from './config';
import { add, el, fill, say } from './dom';
import { age, clock } from './format';
import { ledger } from './ledger';
import { messages } from './messages';
import { overview } from './overview';
import { go, link, MakePage, Page } from './page';
import { plugins } from './plugins';
import { forgetColours } from './spark';
import { LinkState, stream } from './stream';

const PAGES: { name: string; title: string; key: string; make: MakePage }[] = [
  { name: 'overview', title: 'Overview', key: 'o', make: overview },
  { name: 'agent', title: 'Agent', key: 'a', make: agentPage },
  { name: 'messages', title: 'Messages', key: 'm', make: messages },
  { name: 'config', title: 'Configuration', key: 'c', make: configuration },
  { name: 'ledger', title: 'Ledger', key: 'l', make: ledger },
  { name: 'plugins', title: 'Plugins', key: 'p', make: () => plugins() },
];
const KEYS: [string, string][] = [
  ['g o, g a, g m, g c, g l, g p', 'go to a page'], ['/', 'filter or search'], ['j k, Enter', 'choose an agent, open it'],
  ['← → + - 0', 'charts: earlier, later, zoom, live'], ['t', 'messages: tail'], ['Ctrl-S', 'configuration: save'], ['d', 'light or dark'], ['?', 'this help'], ['Esc', 'leave a field, close'],
];

const main = document.getElementById('main')!;
const notice = document.getElementById('notice')!;
const bar = document.getElementById('bar')!;
let page: Page | null = null;
let name = '';
let prefix = false;
let link_: LinkState = 'connecting';
let linkSince = 0;
let status: Status | null = null;

const nav = el('nav', { 'aria-label': 'Pages' }, ...PAGES.map((one) => el('a', { href: link(one.name), title: `g ${one.key}` }, one.title)));
const lamp = el('span', { class: 'lamp', role: 'status' }, el('i', { class: 'dot' }), el('span', {}, 'connecting'));
const theme = el('button', { class: 'plain', title: 'Light or dark  d', 'aria-label': 'Light or dark', click: turn }, '◐');
const helpButton = el('button', { class: 'plain', title: 'Keys  ?', 'aria-label': 'Keys', click: () => help() }, '?');
add(bar, el('a', { class: 'brand', href: '#/overview' }, el('img', { src: '/icon.svg', alt: '', width: 20, height: 20 }), 'Monitor'), nav, lamp, theme, helpButton);

const dialog = el('dialog', { 'aria-label': 'Keys' }, el('h2', {}, 'Keys'), el('dl', {}, ...KEYS.flatMap(([keys, what]) => [el('dt', {}, keys), el('dd', {}, what)])), el('button', { click: () => dialog.close() }, 'Close'));
document.body.append(dialog);
function help(): void {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function turn(): void {
  const dark = document.documentElement.dataset['theme'] === 'dark' || (document.documentElement.dataset['theme'] === undefined && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset['theme'] = dark ? 'light' : 'dark';
  localStorage.setItem('monitor-theme', document.documentElement.dataset['theme']);
  recolour();
}
function recolour(): void {
  forgetColours();
  page?.recolour?.();
}
const kept = localStorage.getItem('monitor-theme');
if (kept === 'light' || kept === 'dark') document.documentElement.dataset['theme'] = kept;
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);

function show(): void {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const wanted = PAGES.find((one) => one.name === path) ?? PAGES[0]!;
  const parameters = new URLSearchParams(query);
  if (wanted.name === name) {
    page?.update?.(parameters);
    return;
  }
  page?.close?.();
  name = wanted.name;
  page = wanted.make(parameters);
  main.replaceChildren(page.element);
  document.title = `${wanted.title} · Monitor`;
  nav.querySelectorAll('a').forEach((one, i) => {
    if (PAGES[i]!.name === name) {
      one.setAttribute('aria-current', 'page');
      nav.scrollLeft = Math.max(nav.scrollLeft, one.offsetLeft - nav.offsetLeft + one.offsetWidth - nav.clientWidth);  // on a phone not all have room
      nav.scrollLeft = Math.min(nav.scrollLeft, one.offsetLeft - nav.offsetLeft);
    } else one.removeAttribute('aria-current');
  });
}

function tell(): void {
  // Connected to this page's server, which says whether anything comes.
  const quiet = link_ === 'live' && status !== null && status.servers.trouble !== '';
  const noServer = status?.servers.state === 'away' || status?.servers.state === 'stopped';
  const text = quiet ? (noServer ? 'no server' : 'no data') : link_ === 'live' ? 'live' : link_ === 'connecting' ? 'connecting' : `disconnected for ${age((Date.now() - linkSince) / 1000)}`;
  lamp.className = `lamp ${quiet ? 'quiet' : link_}`;
  say(lamp.lastChild!, text);
  const parts: string[] = [];
  if (link_ === 'lost') parts.push(`No connection to the server since ${clock(linkSince / 1000)}. What is shown is from before; trying again.`);
  if (status !== null && status.log.trouble !== '') parts.push(`The log cannot be read since ${clock(status.log.since)}: ${status.log.trouble}`);
  else if (status !== null && !status.log.caught_up) parts.push('Reading what the log already holds.');
  if (status !== null && status.servers.trouble !== '') parts.push(`${status.servers.trouble.charAt(0).toUpperCase()}${status.servers.trouble.slice(1)}.`);
  if (status !== null && status.history.trouble !== '') parts.push(`The history cannot be written since ${clock(status.history.since)}: ${status.history.trouble}. What the log keeps is put into it later.`);
  if (status !== null && status.config.trouble !== '') parts.push(`The configuration cannot be read: ${status.config.trouble}`);
  const wanted = parts.join('\n');
  if (notice.dataset['text'] === wanted) return;
  notice.dataset['text'] = wanted;
  fill(notice, ...parts.map((one) => el('p', {}, one)));
}

async function look(): Promise<void> {
  if (document.hidden) return;
  try {
    status = await ask<Status>('/status');
  } catch {
    // The stream says that there is no connection.
  }
  tell();
}

stream.onState((state, since) => {
  link_ = state;
  linkSince = since;
  tell();
  if (state === 'live') void look();
});
window.setInterval(() => void look(), 2000);
window.setInterval(tell, 1000);

document.addEventListener('keydown', (pressed) => {
  const target = pressed.target as HTMLElement;
  const writes = ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
  if (pressed.key === 'Escape' && writes) {
    pressed.preventDefault();  // a search field would forget its text
    target.blur();
  }
  if (pressed.ctrlKey || pressed.metaKey) {
    if (pressed.key === 's') page?.key?.(pressed);  // all others are the browser's, as its zoom
    return;
  }
  if (pressed.altKey || writes) return;
  // What is focused is meant, whatever is chosen elsewhere.
  if (['Enter', ' '].includes(pressed.key) && target.closest('a, button, summary') !== null) return;
  if (prefix) {
    prefix = false;
    const wanted = PAGES.find((one) => one.key === pressed.key);
    if (wanted !== undefined) {
      go(wanted.name);
      return;
    }
  }
  if (pressed.key === 'g') prefix = true;
  else if (pressed.key === '?') help();
  else if (pressed.key === 'd') turn();
  else if (dialog.open || page?.key?.(pressed) !== true) return;
  pressed.preventDefault();
});
window.addEventListener('hashchange', (change) => {
  const stays = location.hash.startsWith(`#/${name}?`) || location.hash === `#/${name}`;
  if (!stays && page?.unsaved?.() === true && !window.confirm('Leave? What was changed in the document is not saved.')) {
    history.replaceState(null, '', new URL(change.oldURL).hash);
    return;
  }
  show();
});
window.addEventListener('beforeunload', (leaving) => { if (page?.unsaved?.() === true) leaving.preventDefault(); });
show();
void look();
