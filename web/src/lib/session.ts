// Who is logged in. Shows the login form when the server requires it, at the start and when a session has ended; the page
// behind it stays where it is.
import { signal } from '@preact/signals';
import { ApiError, ask, lock, unlock, type Session } from './api';
import { el, setText } from './dom';


const LOGGED_OUT = 'You are logged out.';
const UNKNOWN: Session = { user: null, by: 'open', role: 'viewer', csrf: null, logins: false };

class Access {
  current: Session = UNKNOWN;
  locked = false;
  readonly changed = signal(0);  // advances with `current` and `locked`
  private leaving = false;  // the session ends because its user has asked for it
  private last: string | null = null;  // who was logged in before
  private onLogin: (sameUser: boolean) => void = () => undefined;
  private onLock: () => void = () => undefined;
  private readonly reason = el('p', { class: 'dim', role: 'status' });
  private readonly fault = el('p', { class: 'warn', role: 'alert' });
  private readonly user = el('input', { name: 'username', autocomplete: 'username', required: true, maxlength: 128, spellcheck: 'false', autocapitalize: 'none' });
  private readonly password = el('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true, maxlength: 1024 });
  private readonly button = el('button', { class: 'main', type: 'submit' }, 'Log in');
  private readonly dialog = el('dialog', { class: 'login', 'aria-labelledby': 'login-title' },
    el('form', { submit: (event: Event) => { event.preventDefault(); void this.submit(); } },
      el('h1', { id: 'login-title' }, 'Log in to Monitor'), this.reason, el('label', {}, 'User', this.user), el('label', {}, 'Password', this.password), this.fault, this.button));

  constructor() {
    document.body.append(this.dialog);
    // Esc closes a dialog, whether its event is cancelled or not.
    this.dialog.addEventListener('close', () => { if (this.locked) this.dialog.showModal(); });
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
    setText(this.reason, this.current.logins || this.current === UNKNOWN ? reason : `${reason} This server takes its users from a proxy: log in there, and load this page again.`.trim());
    setText(this.fault, '');
    for (const part of [this.user, this.password, this.button]) part.disabled = !this.current.logins && this.current !== UNKNOWN;
    this.password.value = '';
    this.onLock();
    if (!this.dialog.open) this.dialog.showModal();
    (this.user.value === '' ? this.user : this.password).focus();
  }

  private async submit(): Promise<void> {
    setText(this.fault, '');
    this.button.disabled = true;
    try {
      await ask('/login', {}, { method: 'POST', body: JSON.stringify({ user: this.user.value, password: this.password.value }) });
      this.take(await ask<Session>('/session'));
    } catch (error) {
      setText(this.fault, `${(error as Error).message}`);
      this.password.focus();
      this.password.select();
      return;
    } finally {
      this.button.disabled = false;
    }
    const same = this.last === this.current.user;
    this.password.value = '';
    this.leaving = false;
    this.locked = false;
    ++this.changed.value;
    this.dialog.close();
    this.onLogin(same);
  }
}

export const session = new Access();
