// Starts the page: settings, session, shell, keys.
import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/shell.css';
import './styles/home.css';
import './styles/host.css';
import './styles/alerts.css';
import './styles/explore.css';
import './styles/messages.css';
import './styles/ledger.css';
import './styles/rule.css';
import './styles/config.css';
import './styles/views.css';
import { render } from 'preact';
import { askEarly } from './host/early';
import { session } from './lib/session';
import { stream } from './lib/stream';
import { App, shown } from './shell/app';
import { onKey } from './shell/keys';
import { currentActions, pageOf } from './shell/pages';
import { refreshAlerts, startAlerts } from './state/alerts';
import { refreshStatus, startConnection, status } from './state/connection';
import { readRoute, route, routeOf } from './state/route';
import { applySettings } from './state/settings';

const unsaved = () => currentActions().unsaved?.() === true;

function clearPage(): void {
  shown.value = 0;
  status.value = null;
}

let serial = 0;
function showPage(): void {
  readRoute();
  shown.value = ++serial;
  void refreshStatus();
  void refreshAlerts();
}

async function logOut(): Promise<void> {
  if (unsaved() && !window.confirm('Log out? The changes to the document are not saved.')) return;
  try {
    await session.logOut();
  } catch (error) {
    window.alert(`You are still logged in: ${(error as Error).message}`);
    return;
  }
  clearPage();
}

function onAddress(change: HashChangeEvent): void {
  const next = routeOf(location.hash);
  if (next.page !== route.value.page && unsaved() && !window.confirm('Leave? The changes to the document are not saved.')) {
    history.replaceState(null, '', new URL(change.oldURL).hash);
    return;
  }
  if (!session.locked) readRoute();
}

readRoute();
if (route.value.page === 'agent') askEarly(route.value.parameters);
void pageOf(route.value.page).load().catch(() => undefined);  // at once, beside the question who is logged in
applySettings(document.documentElement);
render(<App logOut={() => void logOut()} />, document.getElementById('page')!);
startConnection();
startAlerts();
document.addEventListener('keydown', onKey);
window.addEventListener('hashchange', onAddress);
window.addEventListener('beforeunload', (leaving) => { if (unsaved()) leaving.preventDefault(); });

session.listen((sameUser) => {
  stream.resume();
  // A document that is being edited stays as it is, for the same user.
  if (!sameUser || !unsaved()) showPage();
  else void refreshStatus();
}, () => stream.pause());
void session.start().then((ready) => {
  if (ready) showPage();
});
