import { deriveKey, memoryLedger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { namespace, deleteNamespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { Queue, Worker, UnrecoverableError } from 'bullmq';
import { afterAll, expect, test } from 'vitest';
import { checkAll } from '../src/check.ts';
import { drawEmails, type Email, jobsOf, keyOf } from '../src/email.ts';
import { startHistory } from '../src/history.ts';

const prefix = namespace('torture-check');
const connection = { url: redisUrl(), maxRetriesPerRequest: null };
const queue = new Queue('notices', { connection, prefix });

afterAll(async () => {
  await queue.close();
  await deleteNamespace(redisUrl(), prefix);
});

let number = 0;
function newEmail(): Email {
  number += 1;
  return { ...drawEmails({ seed: 1, count: 1, withinMs: 1 })[0]!, number, copies: 1 };
}

/** Lets the email's job end in BullMQ as given. */
async function endJob(email: Email, how: 'completed' | 'failed'): Promise<void> {
  await queue.addBulk(jobsOf(email, {}));
  const worker = new Worker(
    'notices',
    async () => {
      if (how === 'failed') throw new UnrecoverableError('in doubt');
    },
    { connection, prefix },
  );
  await new Promise((resolve) => void worker.once(how, resolve));
  await worker.close();
}

interface Scene {
  readonly left: number;
  readonly state:
    | 'sent'
    | 'rejected'
    | 'skipped'
    | 'cancelled'
    | 'in-doubt'
    | 'absent'
    | 'no ledger';
  readonly jobs: 'completed' | 'failed';
  readonly skips?: true;
  /** A cancellation was acknowledged. */
  readonly promised?: true;
}

async function verdictOn({ left, state, jobs, skips, promised }: Scene): Promise<string> {
  const email: Email = {
    ...newEmail(),
    skips: skips ?? false,
    ...(promised && { cancelledMs: 1 }),
  };
  const ledger = memoryLedger();
  if (state !== 'absent' && state !== 'no ledger') {
    const key = deriveKey(keyOf(email));
    const times = { leaseMs: 1_000, retentionMs: 60_000 };
    const attempt = { key, token: createToken(), ...times };
    if (state === 'cancelled') await ledger.cancel({ key, retentionMs: 60_000 });
    else {
      await ledger.claim({ ...attempt, dispatched: true });
      await ledger.settle({ ...attempt, outcome: state });
    }
  }
  await endJob(email, jobs);
  const result = await checkAll(
    {
      emails: [email],
      deliveries: { countOf: () => left },
      queue,
      history: startHistory(),
      ledger: state === 'no ledger' ? undefined : ledger,
      cancelled: new Set(promised ? [email.number] : []),
    },
    1,
  );
  if (result.sentOnce === 1) return 'sent once';
  if (result.rejected === 1) return 'rejected';
  if (result.skipped === 1) return 'skipped';
  if (result.cancelled === 1) return 'cancelled';
  if (result.inDoubtListed === 1) return 'in doubt, listed';
  return result.violations[0]?.verdict ?? 'nothing';
}

test.each<[string, Scene]>([
  ['sent once', { left: 1, state: 'sent', jobs: 'completed' }],
  ['sent twice', { left: 2, state: 'sent', jobs: 'completed' }],
  ['sent twice', { left: 2, state: 'in-doubt', jobs: 'failed' }],
  ['lost', { left: 0, state: 'sent', jobs: 'completed' }],
  ['lost', { left: 0, state: 'absent', jobs: 'completed' }],
  ['rejected', { left: 0, state: 'rejected', jobs: 'failed' }],
  ['the record is wrong', { left: 1, state: 'rejected', jobs: 'failed' }],
  ['the record is wrong', { left: 1, state: 'absent', jobs: 'completed' }],
  ['in doubt, listed', { left: 0, state: 'in-doubt', jobs: 'failed' }],
  ['in doubt, listed', { left: 1, state: 'in-doubt', jobs: 'failed' }],
  // A completed job says that the email left, which is unknown.
  ['the record is wrong', { left: 1, state: 'in-doubt', jobs: 'completed' }],
  // Another copy of it was skipped.
  ['in doubt, listed', { left: 1, state: 'in-doubt', jobs: 'completed', skips: true }],
  ['skipped', { left: 0, state: 'skipped', jobs: 'completed', skips: true }],
  // A late claim has won over its record.
  ['skipped', { left: 0, state: 'absent', jobs: 'completed', skips: true }],
  ['lost', { left: 0, state: 'absent', jobs: 'failed', skips: true }],
  ['the record is wrong', { left: 0, state: 'skipped', jobs: 'completed' }],
  ['the record is wrong', { left: 1, state: 'skipped', jobs: 'completed', skips: true }],
  ['cancelled', { left: 0, state: 'cancelled', jobs: 'completed', promised: true }],
  ['left after it was cancelled', { left: 1, state: 'sent', jobs: 'completed', promised: true }],
  ['the record is wrong', { left: 0, state: 'cancelled', jobs: 'completed' }],
  ['the record is wrong', { left: 0, state: 'absent', jobs: 'completed', promised: true }],
  ['sent once', { left: 1, state: 'no ledger', jobs: 'completed' }],
  ['lost', { left: 0, state: 'no ledger', jobs: 'completed' }],
  ['in doubt, listed', { left: 0, state: 'no ledger', jobs: 'failed' }],
  ['sent twice', { left: 3, state: 'no ledger', jobs: 'completed' }],
])('%s: %o', async (verdict, scene) => {
  expect(await verdictOn(scene)).toBe(verdict);
});
