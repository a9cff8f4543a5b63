import {
  type Attempt,
  deriveKey,
  type Journal,
  type JournalType,
  type Ledger,
  type RecordState,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { deleteNamespace, namespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';

export interface Scene {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly client: Redis;
  readonly prefix: string;
  /** The options that name this ledger and its journal. */
  readonly where: readonly string[];
  /** Adds an email in that state, with a history. Its key is that of ['notice', order]. */
  email(state: RecordState, order: number, about?: Partial<Attempt>): Promise<Attempt>;
}

/** A ledger and a journal in a namespace of the test's own. */
export function startScene(): Scene {
  const prefix = namespace('cli');
  const client = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  const ledger = redisLedger(client, { prefix });
  const journal = redisJournal(client, { prefix, intervalMs: 5 });
  onTestFinished(async () => {
    await journal.flush();
    client.disconnect();
    await deleteNamespace(redisUrl(), prefix);
  });
  return {
    ledger,
    journal,
    client,
    prefix,
    where: ['--redis', redisUrl(), '--prefix', prefix, '--queue-prefix', `${prefix}:q`],
    async email(state, order, about = {}) {
      const attempt: Attempt = {
        key: deriveKey(['notice', order]),
        token: createToken(),
        leaseMs: 30_000,
        retentionMs: 600_000,
        job: { queue: 'notices', id: String(order) },
        ...about,
      };
      await bring(ledger, state, attempt);
      const { key, token, job } = attempt;
      const label = `order ${order}`;
      for (const type of stepsTo[state]) {
        journal.write({ key, token, job, label, type, atMs: Date.now(), worker: 'web-1:4242' });
      }
      await journal.flush();
      return attempt;
    },
  };
}

const stepsTo: Record<RecordState, readonly JournalType[]> = {
  claimed: ['claimed'],
  dispatched: ['claimed', 'dispatched'],
  'in-doubt': ['claimed', 'dispatched', 'in-doubt'],
  sent: ['claimed', 'dispatched', 'sent'],
  rejected: ['claimed', 'dispatched', 'rejected'],
  skipped: ['claimed', 'skipped'],
  cancelled: ['cancelled'],
};

export async function bring(ledger: Ledger, state: RecordState, attempt: Attempt): Promise<void> {
  if (state === 'cancelled') {
    await ledger.cancel({ ...attempt, by: 'support' });
    return;
  }
  await ledger.claim({ ...attempt, dispatched: state !== 'claimed' });
  if (state === 'skipped') {
    await ledger.settle({ ...attempt, outcome: state, note: 'unsubscribed' });
  }
  if (state === 'sent') await ledger.settle({ ...attempt, outcome: state, messageId: '<m@shop>' });
  if (state === 'rejected' || state === 'in-doubt') {
    await ledger.settle({
      ...attempt,
      outcome: state,
      note: state === 'rejected' ? '552' : 'ETIMEDOUT',
    });
  }
}
