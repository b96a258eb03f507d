// The shell: navigation, keys, and notices that concern every page (no connection, log unreadable).
import 'uplot/dist/uPlot.min.css';
import './app.css';
import { agentPage } from './agent';
import { ask, Status } from './api';
import { configuration } from './config';
import { add, el, replaceChildren, setText } from './dom';
import { age, clock } from './format';
import { ledger } from './ledger';
import { messages } from './messages';
import { overview } from './overview';
import { go, link, MakePage, Page } from './page';
import { plugins } from './plugins';
import { session, showUser } from './session';
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
  ['g o, g a, g m, g c, g l, g p', 'go to a page'], ['/', 'filter or search'], ['j k, Enter', 'select an agent, open it'],
  ['← → + - 0', 'charts: earlier, later, zoom, live'], ['t', 'messages: tail'], ['Ctrl-S', 'configuration: save'], ['d', 'light or dark'], ['?', 'this help'], ['Esc', 'leave a field, close'],
];

const main = document.getElementById('main')!;
const notice = document.getElementById('notice')!;
const bar = document.getElementById('bar')!;
let page: Page | null = null;
let name = '';
let prefix = false;
let linkState: LinkState = 'connecting';
let linkSince = 0;
let status: Status | null = null;

const nav = el('nav', { 'aria-label': 'Pages' }, ...PAGES.map((one) => el('a', { href: link(one.name), title: `g ${one.key}` }, one.title)));
const lamp = el('span', { class: 'lamp', role: 'status' }, el('i', { class: 'dot' }), el('span', {}, 'connecting'));
const theme = el('button', { class: 'plain', title: 'Light or dark  d', 'aria-label': 'Light or dark', click: toggleTheme }, '◐');
const helpButton = el('button', { class: 'plain', title: 'Keys  ?', 'aria-label': 'Keys', click: () => help() }, '?');
const user = el('span', { class: 'user' });
add(bar, el('a', { class: 'brand', href: '#/overview' }, el('img', { src: '/icon.svg', alt: '', width: 20, height: 20 }), 'Monitor'), nav, lamp, user, theme, helpButton);

const dialog = el('dialog', { 'aria-label': 'Keys' }, el('h2', {}, 'Keys'), el('dl', {}, ...KEYS.flatMap(([keys, what]) => [el('dt', {}, keys), el('dd', {}, what)])), el('button', { click: () => dialog.close() }, 'Close'));
document.body.append(dialog);
function help(): void {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function toggleTheme(): void {
  const dark = document.documentElement.dataset['theme'] === 'dark' || (document.documentElement.dataset['theme'] === undefined && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset['theme'] = dark ? 'light' : 'dark';
  localStorage.setItem('monitor-theme', document.documentElement.dataset['theme']);
  recolour();
}
function recolour(): void {
  forgetColours();
  page?.recolour?.();
}
const savedTheme = localStorage.getItem('monitor-theme');
if (savedTheme === 'light' || savedTheme === 'dark') document.documentElement.dataset['theme'] = savedTheme;
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);

function show(): void {
  if (session.locked) return;
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
      nav.scrollLeft = Math.max(nav.scrollLeft, one.offsetLeft - nav.offsetLeft + one.offsetWidth - nav.clientWidth);  // on a phone, not all fit
      nav.scrollLeft = Math.min(nav.scrollLeft, one.offsetLeft - nav.offsetLeft);
    } else one.removeAttribute('aria-current');
  });
}

function renderStatus(): void {
  // Connected to the page's server, which itself may receive no data.
  const quiet = linkState === 'live' && status !== null && status.servers.trouble !== '';
  const noServer = status?.servers.state === 'away' || status?.servers.state === 'stopped';
  const text = quiet ? (noServer ? 'no server' : 'no data') : linkState === 'live' ? 'live' : linkState === 'connecting' ? 'connecting' : `disconnected for ${age((Date.now() - linkSince) / 1000)}`;
  lamp.className = `lamp ${quiet ? 'quiet' : linkState}`;
  setText(lamp.lastChild!, text);
  const parts: string[] = [];
  if (linkState === 'lost') parts.push(`No connection to the server since ${clock(linkSince / 1000)}. The page shows old data and keeps trying to reconnect.`);
  if (status !== null && status.log.trouble !== '') parts.push(`The log has not been readable since ${clock(status.log.since)}: ${status.log.trouble}`);
  else if (status !== null && !status.log.caught_up) parts.push('Catching up with the log.');
  if (status !== null && status.servers.trouble !== '') parts.push(`${status.servers.trouble.charAt(0).toUpperCase()}${status.servers.trouble.slice(1)}.`);
  if (status !== null && status.history.trouble !== '') parts.push(`The history has not been writable since ${clock(status.history.since)}: ${status.history.trouble}. It will be filled from the log.`);
  if (status !== null && status.config.trouble !== '') parts.push(`The configuration cannot be read: ${status.config.trouble}`);
  const wanted = parts.join('\n');
  if (notice.dataset['text'] === wanted) return;
  notice.dataset['text'] = wanted;
  replaceChildren(notice, ...parts.map((one) => el('p', {}, one)));
}

async function refreshStatus(): Promise<void> {
  if (document.hidden || session.locked) return;
  try {
    status = await ask<Status>('/status');
  } catch {
    // A lost connection is reported by the stream.
  }
  renderStatus();
}

stream.onState((state, since) => {
  linkState = state;
  linkSince = since;
  renderStatus();
  if (state === 'live') void refreshStatus();
});
window.setInterval(() => void refreshStatus(), 2000);
window.setInterval(renderStatus, 1000);

document.addEventListener('keydown', (pressed) => {
  const target = pressed.target as HTMLElement;
  const writes = ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
  if (pressed.key === 'Escape' && writes) {
    pressed.preventDefault();  // the default would clear a search field
    target.blur();
  }
  if (session.locked) return;
  if (pressed.ctrlKey || pressed.metaKey) {
    if (pressed.key === 's') page?.key?.(pressed);  // other keys belong to the browser
    return;
  }
  if (pressed.altKey || writes) return;
  // Enter and space act on the focused element, not on a selected row.
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
  else if (pressed.key === 'd') toggleTheme();
  else if (dialog.open || page?.key?.(pressed) !== true) return;
  pressed.preventDefault();
});
window.addEventListener('hashchange', (change) => {
  const stays = location.hash.startsWith(`#/${name}?`) || location.hash === `#/${name}`;
  if (!stays && page?.unsaved?.() === true && !window.confirm('Leave? The changes to the document are not saved.')) {
    history.replaceState(null, '', new URL(change.oldURL).hash);
    return;
  }
  show();
});
window.addEventListener('beforeunload', (leaving) => { if (page?.unsaved?.() === true) leaving.preventDefault(); });

async function logOut(): Promise<void> {
  if (page?.unsaved?.() === true && !window.confirm('Log out? The changes to the document are not saved.')) return;
  try {
    await session.logOut();
  } catch (error) {
    window.alert(`You are still logged in: ${(error as Error).message}`);
    return;
  }
  clearPage();
}
function clearPage(): void {
  page?.close?.();
  page = null;
  name = '';
  main.replaceChildren();
  status = null;
  renderStatus();
}
session.listen((sameUser) => {
  showUser(user, () => void logOut());
  // A document that is being edited stays as it is, for the same user.
  if (!sameUser || page?.unsaved?.() !== true) clearPage();
  stream.resume();
  show();
  void refreshStatus();
  main.focus();
}, () => {
  stream.pause();
  showUser(user, () => undefined);
});
void session.start().then((ready) => {
  if (!ready) return;
  showUser(user, () => void logOut());
  show();
  void refreshStatus();
});
