import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, type Ledger, type LedgerRecord } from '@sendonce/core';
import type { Queue } from 'bullmq';
import type { Crew } from './crew.ts';
import type { Deliveries } from './deliveries.ts';
import { type Email, jobIdsOf, keyOf } from './email.ts';
import type { History } from './history.ts';
import { timing } from './timing.ts';

/** After so long nothing that a dead sender wrote is still on its way. */
const QUIET_MS = 1_500;

/**
 * For so long a job that was still running at the verdict may fail after it, and is retried, too.
 */
const RETRIES_FOR_MS = 10_000;

export interface PersonOptions {
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly crew: Crew;
  readonly deliveries: Deliveries;
  readonly emails: readonly Email[];
  readonly history: History;
  /** How long a verdict is kept. @default as everything else */
  readonly retentionMs?: number;
  /** Whether this doubt is looked after. @default every second one, so that both ends are seen */
  readonly attends?: (email: Email) => boolean;
}

/**
 * The person of the guide: goes through the doubts, makes sure that the sender is over, reads the
 * mail server's log, resolves, and retries the job.
 */
export function startPerson(options: PersonOptions) {
  const { ledger, queue, crew, deliveries, emails, history } = options;
  // The emails of the provider are replayed.
  const everySecond = ({ number, route }: Email) => number % 2 === 0 && route !== 'provider';
  const { retentionMs = timing.retentionMs, attends = everySecond } = options;
  const byKey = new Map(emails.map((email) => [deriveKey(keyOf(email)), email]));
  const leaves = new AbortController();
  const decided = new Map<Email, number>();
  let resolved = 0;

  /**
   * Whether the attempt can do nothing any more: it said that it does not know, or its process is
   * gone.
   */
  function isOver(email: Email, { token }: LedgerRecord): boolean {
    const long = (atMs: number) => Date.now() - atMs > QUIET_MS;
    const diedMs = crew.attempt(token)?.diedMs;
    if (diedMs !== undefined) return long(diedMs);
    return history
      .stepsOf(email.number)
      .some(
        (step) =>
          step.token === token && step.what === 'in-doubt' && long(step.atMs + history.startedMs),
      );
  }

  async function resolve(record: LedgerRecord, email: Email): Promise<void> {
    const { key, token } = record;
    const verdict = deliveries.countOf(email.number) > 0 ? 'sent' : 'not-sent';
    const by = 'a person';
    const reply = await ledger.resolve({ key, token, verdict, by, retentionMs });
    history.note({ email: email.number, who: 'person', what: `${verdict}: ${reply.state}`, token });
    if (reply.state !== 'resolved') return;
    resolved += 1;
    decided.set(email, Date.now());
  }

  async function retryFailed(): Promise<void> {
    for (const [email, atMs] of decided) {
      if (Date.now() - atMs > RETRIES_FOR_MS) decided.delete(email);
      for (const id of jobIdsOf(email)) {
        const job = await queue.getJob(id);
        if (await job?.isFailed()) await job?.retry();
      }
    }
  }

  async function goThrough(): Promise<void> {
    for await (const record of ledger.list({ state: 'in-doubt' })) {
      const email = byKey.get(record.key);
      if (email && attends(email) && isOver(email, record)) await resolve(record, email);
    }
  }

  const done = (async () => {
    while (!leaves.signal.aborted) {
      // A ledger that does not answer: later.
      await goThrough()
        .then(retryFailed)
        .catch(() => {});
      await sleep(1_000);
    }
  })();

  return {
    resolved: () => resolved,
    async stop() {
      leaves.abort();
      await done;
      await retryFailed();
    },
  };
}
