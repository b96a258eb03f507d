// The whole page: the frame, the dialogs, and the page that the address names, which is loaded when it is first opened.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import { route } from '../state/route';
import { useEffect } from '../ui/effect';
import { Guard } from '../ui/guard';
import { Failed, Loading, Skeleton } from '../ui/states';
import { Help } from './help';
import { Login } from './login';
import { Navigation, Notices, TopBar } from './frame';
import { Palette } from './palette';
import { pageOf, type PageEntry, type PageProps } from './pages';
import { SettingsDialog } from './settings_dialog';

// A page is shown while this is not 0. Another number makes all of it anew.
export const shown = signal(0);

const loaded = new Map<string, ComponentType<PageProps>>();

function Content({ entry, parameters }: { entry: PageEntry; parameters: URLSearchParams }) {
  const [, setReady] = useState(0);
  const [fault, setFault] = useState('');
  const View = loaded.get(entry.name);
  const load = () => {
    setFault('');
    entry.load().then(
      (module) => {
        loaded.set(entry.name, module.default);
        setReady((n) => n + 1);
      },
      (error: Error) => setFault(error.message),
    );
  };
  useEffect(() => { if (View === undefined) load(); }, [entry.name]);
  if (View !== undefined) return <Guard what={entry.title}><View parameters={parameters} /></Guard>;
  if (fault !== '') return <Failed what={`${entry.title} cannot be loaded`} why={fault} retry={load} />;
  return <Loading what={entry.title}><div class="grid-cards"><Skeleton shape="card" many={6} /></div></Loading>;
}

export function App({ logOut }: { logOut: () => void }) {
  const { page, parameters } = route.value;
  const entry = pageOf(page);
  useEffect(() => { document.title = `${entry.title} · Monitor`; }, [entry.name]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to content</a>
      <TopBar title={entry.title} logOut={logOut} />
      <Navigation current={entry.of ?? entry.name} />
      <div id="content">
        <Notices />
        <main id="main" tabIndex={-1}>
          {shown.value > 0 && <Content key={`${entry.name} ${shown.value}`} entry={entry} parameters={parameters} />}
        </main>
      </div>
      <Help />
      <SettingsDialog />
      <Palette />
      <Login />
    </>
  );
}
