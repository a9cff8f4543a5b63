import type { LedgerUnavailableError } from '@sendonce/core';
import type { RedisClient } from './client.ts';
import { unavailable } from './unavailable.ts';

/** What waits for an answer. */
export interface Pending {
  /** By `performance.now()`. */
  readonly untilMs: number;
  readonly expire: (error: LedgerUnavailableError) => void;
}

/** How much later than its deadline a command may fail, as a part of the deadline. */
const PRECISION = 10;

/**
 * Gives up commands that are not answered in time. A command stays in the client's queue and may
 * still be executed: every verb may be.
 *
 * One timer looks after all of them, and outlives short gaps. A timer for each command cost 17 us
 * of CPU where jobs run one after the other.
 */
export class Deadlines {
  readonly answerWithinMs: number;
  private readonly client: RedisClient;
  private readonly pending = new Set<Pending>();
  private readonly everyMs: number;
  private timer: NodeJS.Timeout | undefined;
  private lookedAtMs = 0;

  constructor(client: RedisClient, answerWithinMs: number) {
    this.client = client;
    this.answerWithinMs = answerWithinMs;
    this.everyMs = Math.max(1, Math.ceil(answerWithinMs / PRECISION));
  }

  /** When a command that is asked now is over. */
  untilMs(): number {
    return performance.now() + this.answerWithinMs;
  }

  /** Calls `expire` when the time is over, unless the entry is deleted before. */
  add(entry: Pending): void {
    this.pending.add(entry);
    this.watch();
  }

  delete(entry: Pending): void {
    this.pending.delete(entry);
  }

  /** The answer. @throws {LedgerUnavailableError} if it does not come in time. */
  limit<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Pending = { untilMs: this.untilMs(), expire: reject };
      this.add(entry);
      void answer.then(resolve, reject).finally(() => this.delete(entry));
    });
  }

  private error(): LedgerUnavailableError {
    return unavailable(new Error(`no answer within ${this.answerWithinMs} ms`), this.client);
  }

  private watch(): void {
    if (this.timer !== undefined) return;
    this.lookedAtMs = performance.now();
    // The connection keeps the process alive where there is one.
    this.timer = setInterval(() => this.look(), this.everyMs).unref();
  }

  private look(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.lookedAtMs - this.everyMs;
    this.lookedAtMs = nowMs;
    if (this.pending.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    // This process itself was paused. The answers may have arrived, and are read first.
    if (lateMs > this.everyMs) return;
    for (const entry of this.pending) {
      if (entry.untilMs > nowMs) break;
      this.pending.delete(entry);
      entry.expire(this.error());
    }
  }
}
