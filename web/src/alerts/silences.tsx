// Silences that are in force or will be.
import { useState } from 'preact/hooks';
import { ask, type Silence } from '../lib/api';
import { age, clock } from '../lib/format';
import { session } from '../lib/session';
import { savedToken } from '../lib/token';
import { refreshAlerts } from '../state/alerts';
import { useEffect } from '../ui/effect';
import { expireSilence } from './silence';

export function Silences({ changed }: { changed: number }) {
  const [found, setFound] = useState<Silence[]>([]);
  const [fault, setFault] = useState('');
  const load = () => ask<{ silences: Silence[] }>('/silences').then(({ silences }) => setFound(silences.filter((one) => one.state !== 'expired')), (error: Error) => setFault(error.message));
  useEffect(() => { void load(); }, [changed]);
  const end = async (id: string) => {
    try {
      await expireSilence(id, savedToken());
      setFault('');
      await Promise.all([load(), refreshAlerts()]);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  if (found.length === 0 && fault === '') return null;
  return (
    <section aria-label="Silences">
      <h2>Silences</h2>
      {fault !== '' && <p class="warn" role="alert">{fault}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label="Silences"><table>
        <caption>Silences</caption>
        <thead><tr><th scope="col">Alerts</th><th scope="col">Reason</th><th scope="col">By</th><th scope="col">Until</th><th scope="col"><span class="visually-hidden">Change</span></th></tr></thead>
        <tbody>{found.map((one) => (
          <tr key={one.id}>
            <td>{one.matchers.join(', ')}</td><td>{one.reason}</td><td>{one.author}</td>
            <td>{clock(Date.parse(one.endsAt) / 1000)} <span class="dim">{one.state === 'pending' ? 'has not begun' : `${age(Date.parse(one.endsAt) / 1000 - Date.now() / 1000)} left`}</span></td>
            <td><button disabled={session.changes() === 'no'} onClick={() => void end(one.id)}>End now</button></td>
          </tr>
        ))}</tbody>
      </table></div>
    </section>
  );
}
