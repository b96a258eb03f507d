// Loads the ledger again and again while its page is shown.
import { useRef, useState } from 'preact/hooks';
import { ask } from '../lib/api';
import { stream } from '../lib/stream';
import { useEffect } from '../ui/effect';
import type { Ledger } from './run';

const EVERY = 3000;  // milliseconds; rarer if the server needs long
const TYPING = 250;  // milliseconds after the last key
const SHARE = 20;    // at most this part of the time is spent on loading

export function useLedger(agent: string): { ledger: Ledger | null; fault: string; load: () => void } {
  const [ledger, setLedger] = useState<Ledger | null>(null);
  const [fault, setFault] = useState('');
  const wanted = useRef(agent);
  wanted.current = agent;
  const again = useRef<() => void>(() => undefined);
  useEffect(() => {
    let over = false;
    let timer = 0;
    let round = 0;
    const load = async () => {
      clearTimeout(timer);
      const mine = ++round;
      const asked = wanted.current;
      const start = performance.now();
      try {
        if (!document.hidden) {
          const found = await ask<Ledger>('/ledger', { agent: asked.trim() });
          if (!over && mine === round) {
            setLedger(found);
            setFault('');
          }
        }
      } catch (error) {
        if (!over && mine === round) setFault((error as Error).message);
      }
      if (!over && mine === round) timer = window.setTimeout(() => void load(), Math.max(EVERY, (performance.now() - start) * SHARE));
    };
    again.current = () => void load();
    stream.attend(() => void load());
    void load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);
  const first = useRef(true);
  useEffect(() => {
    const soon = first.current ? 0 : window.setTimeout(() => again.current(), TYPING);
    first.current = false;
    return () => clearTimeout(soon);
  }, [agent]);
  return { ledger, fault, load: () => again.current() };
}
