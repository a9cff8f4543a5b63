import { type Attempt, currentClaim, deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { once, type OnceOptions } from '../src/index.ts';
import { type Job, type Stage } from './stage.ts';

export const select = (job: Job) => ['notice', job.data.order];
export const key = deriveKey(['notice', 7]);

/** A processor around one email, its worker, and what it sent. */
export function mailer(
  stage: Stage,
  options: Partial<OnceOptions<Job>> = {},
  fail?: () => unknown,
) {
  const sent: string[] = [];
  const events: string[] = [];
  const processor = once(
    async (job: Job) => {
      await currentClaim()?.dispatch();
      const error = fail?.();
      if (error !== undefined) throw error;
      sent.push(job.id ?? '');
      return { messageNumber: sent.length };
    },
    {
      ledger: stage.ledger,
      key: select,
      onEvent: (event) => events.push(event.type),
      ...options,
    },
  );
  const worker = stage.worker(processor);
  const failed: { error: Error & { code?: string }; attemptsMade: number }[] = [];
  worker.on('failed', (job, error) => failed.push({ error, attemptsMade: job?.attemptsMade ?? 0 }));
  return { sent, events, failed, worker, counters: processor.counters };
}

export const attempts = { attempts: 5, backoff: { type: 'fixed', delay: 20 } };
export const notice = (stage: Stage) => stage.queue().add('notice', { order: 7 }, attempts);

export function another(changes: Partial<Attempt> = {}): Attempt {
  const times = { leaseMs: 30_000, retentionMs: 60_000 };
  return { key, token: createToken(), job: { queue: 'q', id: 'other' }, ...times, ...changes };
}

export async function putInDoubt(ledger: Ledger): Promise<Attempt> {
  const attempt = another();
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', note: 'ETIMEDOUT' });
  return attempt;
}
