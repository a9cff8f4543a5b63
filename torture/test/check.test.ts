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
  readonly state: 'sent' | 'rejected' | 'in-doubt' | 'absent' | 'no ledger';
  readonly jobs: 'completed' | 'failed';
}

async function verdictOn({ left, state, jobs }: Scene): Promise<string> {
  const email = newEmail();
  const ledger = memoryLedger();
  if (state !== 'absent' && state !== 'no ledger') {
    const key = deriveKey(keyOf(email));
    const times = { leaseMs: 1_000, retentionMs: 60_000 };
    const attempt = { key, token: createToken(), ...times };
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: state });
  }
  await endJob(email, jobs);
  const result = await checkAll(
    {
      emails: [email],
      deliveries: { countOf: () => left },
      queue,
      history: startHistory(),
      ledger: state === 'no ledger' ? undefined : ledger,
    },
    1,
  );
  if (result.sentOnce === 1) return 'sent once';
  if (result.rejected === 1) return 'rejected';
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
  ['sent once', { left: 1, state: 'no ledger', jobs: 'completed' }],
  ['lost', { left: 0, state: 'no ledger', jobs: 'completed' }],
  ['in doubt, listed', { left: 0, state: 'no ledger', jobs: 'failed' }],
  ['sent twice', { left: 3, state: 'no ledger', jobs: 'completed' }],
])('%s: %o', async (verdict, scene) => {
  expect(await verdictOn(scene)).toBe(verdict);
});
