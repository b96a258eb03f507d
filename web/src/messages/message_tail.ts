// What arrives while the page follows the log. Messages arrive as fast as the log grows, so rows are added only four
// times a second, and no more than can be read.
import { Message } from './message_rows';

const MOST_WAITING = 500;
const AT_ONCE = 40;

type Wanted = Record<string, string>;

export class MessageTail {
  passed = 0;  // messages that arrived faster than rows can be shown
  private waiting: Message[] = [];
  private stale = false;  // a message arrived whose match only the server can decide
  private refreshed = 0;
  private readonly timer: number;

  // `refresh` asks the server for the newest messages that match, at most so many, and shows them.
  constructor(private readonly show: (fresh: Message[]) => void, private readonly refresh: (most: number) => Promise<void>) {
    this.timer = window.setInterval(() => this.tick(), 250);
  }

  reset(): void {
    this.waiting = [];
    this.passed = 0;
    this.stale = false;
  }

  take(message: Message, { agent, partition, metric, since, until, offset }: Wanted): void {
    if ((metric ?? since ?? until ?? offset) !== undefined) {
      this.stale = true;
      return;
    }
    if (agent !== undefined && !pattern(agent).test(message.key)) return;
    if (partition !== undefined && Number(partition) !== message.partition) return;
    this.waiting.push(message);
    if (this.waiting.length > MOST_WAITING) this.waiting.splice(0, this.waiting.length - MOST_WAITING);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    if (this.stale && performance.now() - this.refreshed > 1000) void this.askAgain();
    if (this.waiting.length === 0) return;
    const fresh = this.waiting.splice(-AT_ONCE);
    this.passed += this.waiting.length;
    this.waiting = [];
    this.show(fresh);
  }

  private async askAgain(): Promise<void> {
    this.stale = false;
    this.refreshed = performance.now();
    try {
      await this.refresh(AT_ONCE);
    } catch {
      this.stale = true;
    }
  }
}

function pattern(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
}
