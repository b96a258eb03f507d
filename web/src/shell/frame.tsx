// The frame around every page: navigation, the state of the connection, notices.
import { useRef } from 'preact/hooks';
import { link } from '../lib/page';
import { session } from '../lib/session';
import { firing } from '../state/alerts';
import { lamp, notices } from '../state/connection';
import { toggleTheme } from '../state/settings';
import { useEffect } from '../ui/effect';
import { Icon } from '../ui/icon';
import { helpOpen, paletteOpen, settingsOpen } from './overlays';
import { PAGES } from './pages';

export function Navigation({ current }: { current: string }) {
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone, not all fit.
    const nav = list.current;
    const one = nav?.querySelector<HTMLElement>('[aria-current]');
    if (nav === null || one === null || one === undefined) return;
    nav.scrollLeft = Math.max(nav.scrollLeft, one.offsetLeft - nav.offsetLeft + one.offsetWidth - nav.clientWidth + 6);
    nav.scrollLeft = Math.min(nav.scrollLeft, one.offsetLeft - nav.offsetLeft);
  }, [current]);
  return (
    <nav ref={list} aria-label="Pages">
      {PAGES.map((one) => (
        <a key={one.name} href={link(one.name)} title={`g ${one.key}`} aria-current={one.name === current ? 'page' : undefined}>
          <Icon name={one.icon} /><span>{one.title}</span>
          {one.name === 'alerts' && firing.value.length > 0 && <b class="badge" aria-label={`${firing.value.length} firing`}>{firing.value.length}</b>}
        </a>
      ))}
    </nav>
  );
}

function LampView() {
  const { kind, text } = lamp.value;
  return <span class={`lamp ${kind}`} role="status"><i class="dot" /><span>{text}</span></span>;
}

function User({ logOut }: { logOut: () => void }) {
  void session.changed.value;
  const { user, by, role } = session.current;
  return (
    <span class="user">
      {user !== null && !session.locked && <span class="dim" title={`role: ${role}`}><span class="visually-hidden">Logged in as </span>{`${user} (${role})`}</span>}
      {user !== null && !session.locked && by === 'session' && <button class="quiet log-out" onClick={logOut}>Log out</button>}
    </span>
  );
}

export function TopBar({ title, logOut }: { title: string; logOut: () => void }) {
  return (
    <header id="bar">
      <a class="brand" href={link('overview')} aria-label="Monitor: Home"><img src="/icon.svg" alt="" width={22} height={22} /><span>Monitor</span></a>
      <span class="bar-title">{title}</span>
      <button class="find" aria-label="Find a host, metric, page" onClick={() => { paletteOpen.value = true; }} aria-keyshortcuts="Control+K"><Icon name="search" /><span>Find a host, metric, page</span><kbd>Ctrl K</kbd></button>
      <LampView />
      <User logOut={logOut} />
      <button class="quiet square" title="Settings  ," aria-label="Settings" onClick={() => { settingsOpen.value = true; }}><Icon name="settings" /></button>
      <button class="quiet square" title="Light or dark  d" aria-label="Light or dark" onClick={toggleTheme}><Icon name="theme" /></button>
      <button class="quiet square" title="Keys  ?" aria-label="Keys" onClick={() => { helpOpen.value = true; }}><Icon name="help" /></button>
    </header>
  );
}

export function Notices() {
  return <div id="notice" role="status" aria-live="polite">{notices.value.map((one) => <p key={one}>{one}</p>)}</div>;
}
