// The page's stream of events. The browser reconnects by itself and reports the last event that it received. The server
// continues after that event, or sends `reset`, after which the listener must load everything again. A hidden page
// closes its connection, because a browser allows only six per server.
import { address } from './api';

type Listener = (name: string, data: unknown) => void;

export type LinkState = 'connecting' | 'live' | 'lost';

class Stream {
  private source: EventSource | null = null;
  private topics: string[] = [];
  private wanted = false;  // a page has begun to follow or to attend
  private listener: Listener = () => undefined;
  private onReset: () => void = () => undefined;
  private last = '';
  private state: LinkState = 'connecting';
  private since = 0;
  private watch: (state: LinkState, since: number) => void = () => undefined;
  private heard = 0;
  private retry = 0;
  private paused = false;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.close();
      else if (this.wanted) this.open();
    });
    // If not even `alive` events arrive, the connection is dead.
    window.setInterval(() => {
      if (this.source !== null && this.state === 'live' && Date.now() - this.heard > 25_000) this.open();
    }, 5_000);
  }

  onState(watch: (state: LinkState, since: number) => void): void {
    this.watch = watch;
    watch(this.state, this.since);
  }

  // Follows events after the id `after`, which came with what the page has read: so no change between the read and the
  // first event is missed. `onReset` reads everything again.
  follow(topics: string[], after: string, listener: Listener, onReset: () => void): void {
    if (after === '') throw new Error('a stream must follow what was read');
    this.begin(topics, after, listener, onReset);
  }

  // For pages that read again by themselves: the stream only tells whether the server is there.
  attend(onReset: () => void = () => undefined): void {
    this.begin([], '', () => undefined, onReset);
  }

  private begin(topics: string[], after: string, listener: Listener, onReset: () => void): void {
    this.topics = topics;
    this.wanted = true;
    this.last = after;
    this.listener = listener;
    this.onReset = onReset;
    this.open();
  }

  // Closes the connection until resume(): nobody is logged in.
  pause(): void {
    this.paused = true;
    this.close();
  }

  resume(): void {
    this.paused = false;
    if (this.wanted) this.open();
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    clearTimeout(this.retry);
  }

  private set(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    this.since = Date.now();
    this.watch(state, this.since);
  }

  private open(): void {
    this.close();
    if (document.hidden || this.paused) return;
    const source = new EventSource(address('/stream', { topic: [...this.topics, 'log', 'config'], after: this.last }));
    this.source = source;
    const take = (event: MessageEvent<string>) => {
      this.heard = Date.now();
      if (event.lastEventId !== '') this.last = event.lastEventId;
      if (event.type === 'reset') this.onReset();
      else if (event.type !== 'alive') this.listener(event.type, JSON.parse(event.data));
    };
    for (const name of ['fleet', 'tick', 'log', 'config', 'reset', 'alive']) {
      source.addEventListener(name, take as EventListener);
    }
    source.onopen = () => {
      this.heard = Date.now();
      this.set('live');
    };
    source.onerror = () => {
      this.set('lost');
      // After an error status the EventSource stays closed, so a new one is opened at the same position.
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(this.retry);
      this.retry = window.setTimeout(() => this.open(), 2_000);
    };
  }
}

export const stream = new Stream();
