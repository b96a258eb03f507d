// Who is logged in. Asks for a login (shell/login.tsx) when the server requires it, at the start and when a session has
// ended; the page behind it stays where it is. Knows nothing of the DOM.
import { signal } from '@preact/signals';
import { ApiError, ask, lock, unlock, type Session } from './api';

const LOGGED_OUT = 'You are logged out.';
const UNKNOWN: Session = { user: null, by: 'open', role: 'viewer', csrf: null, logins: false };

class Access {
  current: Session = UNKNOWN;
  locked = false;
  readonly changed = signal(0);     // advances with `current` and `locked`
  readonly asking = signal(false);  // the login form is shown
  readonly reason = signal('');     // why it is
  readonly open = signal(true);     // users log in here, and not at a proxy
  private leaving = false;  // the session ends because its user has asked for it
  private last: string | null = null;  // who was logged in before
  private onLogin: (sameUser: boolean) => void = () => undefined;
  private onLock: () => void = () => undefined;

  constructor() {
    // The stream may end before the answer to a logout arrives.
    lock.ask = () => this.lock(this.leaving ? LOGGED_OUT : 'Your session has ended. Log in to continue.');
  }

  // `onLogin` is called when somebody has logged in, `onLock` when requests are no longer answered.
  listen(onLogin: (sameUser: boolean) => void, onLock: () => void): void {
    this.onLogin = onLogin;
    this.onLock = onLock;
  }

  // Asks the server who is logged in. Returns false if the login form is shown.
  async start(): Promise<boolean> {
    try {
      this.take(await ask<Session>('/session'));
    } catch {
      return true;  // the page shows that the server does not answer
    }
    if (this.current.by !== 'anyone') return true;
    this.lock('');
    return false;
  }

  // How the configuration can be changed: as it is, with the web token, or not at all.
  changes(): 'yes' | 'token' | 'no' {
    if (this.current.by === 'open') return 'token';
    return this.current.role === 'editor' || this.current.role === 'admin' ? 'yes' : 'no';
  }

  async logOut(): Promise<void> {
    this.leaving = true;
    try {
      await ask('/logout', {}, { method: 'POST' });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) {
        this.leaving = false;
        throw error;
      }
    }
    this.last = null;
    this.lock(LOGGED_OUT);
  }

  private take(session: Session): void {
    this.current = session;
    unlock(session.csrf ?? '');
    ++this.changed.value;
  }

  private lock(reason: string): void {
    if (this.locked) return;
    this.locked = true;
    ++this.changed.value;
    this.last = this.current.user ?? this.last;
    lock.on = true;
    this.open.value = this.current.logins || this.current === UNKNOWN;
    this.reason.value = this.open.value ? reason : `${reason} This server takes its users from a proxy: log in there, and load this page again.`.trim();
    this.onLock();
    this.asking.value = true;
  }

  // Throws what the server says against it.
  async logIn(user: string, password: string): Promise<void> {
    await ask('/login', {}, { method: 'POST', body: JSON.stringify({ user, password }) });
    this.take(await ask<Session>('/session'));
    const same = this.last === this.current.user;
    this.leaving = false;
    this.locked = false;
    ++this.changed.value;
    this.asking.value = false;
    this.onLogin(same);
  }
}

export const session = new Access();
