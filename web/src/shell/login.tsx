// The login form. It stays until somebody has logged in.
import { useRef, useState } from 'preact/hooks';
import { session } from '../lib/session';
import { Dialog } from '../ui/dialog';
import { useEffect } from '../ui/effect';

function Form({ user, setUser }: { user: string; setUser: (user: string) => void }) {
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const fields = useRef<HTMLFormElement>(null);
  const focus = (name: string) => fields.current?.querySelector<HTMLInputElement>(`input[name=${name}]`);
  useEffect(() => focus(user === '' ? 'username' : 'password')?.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setFault('');
    setBusy(true);
    try {
      await session.logIn(user, password);
    } catch (error) {
      setFault((error as Error).message);
      setBusy(false);
      focus('password')?.focus();
      focus('password')?.select();
    }
  };
  const closed = !session.open.value;
  return (
    <form ref={fields} onSubmit={(event) => void submit(event)}>
      <h1>Log in to Monitor</h1>
      <p class="dim" role="status">{session.reason.value}</p>
      <label>User<input name="username" autocomplete="username" required maxLength={128} spellcheck={false} autocapitalize="none" value={user} disabled={closed} onInput={(event) => setUser(event.currentTarget.value)} /></label>
      <label>Password<input name="password" type="password" autocomplete="current-password" required maxLength={1024} value={password} disabled={closed} onInput={(event) => setPassword(event.currentTarget.value)} /></label>
      <p class="warn" role="alert">{fault}</p>
      <button class="main" type="submit" disabled={busy || closed}>Log in</button>
    </form>
  );
}

export function Login() {
  const [user, setUser] = useState('');
  const asking = session.asking.value;
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current && !asking) document.getElementById('main')?.focus();
    asked.current = asking;
  }, [asking]);
  return <Dialog open={session.asking} label="Log in to Monitor" class="login" stays><Form user={user} setUser={setUser} /></Dialog>;
}
