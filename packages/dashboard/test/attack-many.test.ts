import { setTimeout as sleep } from 'node:timers/promises';
import { once } from '@sendonce/bullmq';
import { deriveKey } from '@sendonce/core';
import { chooseDoubts, resolveEmails } from '@sendonce/core/inspect';
import { eventually } from '@sendonce/testkit';
import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import { formToken } from '../src/csrf.ts';
import { dashboard } from '../src/index.ts';
import { byHeader, startStage } from './stage.ts';

/** An email in doubt whose job has failed, and a worker that would send it now. */
async function failedJob(resolverMs: number) {
  const stage = startStage();
  const { ledger, queue } = stage;
  let isBroken = true;
  let sent = 0;
  let asked = 0;
  const processor = async ({ data }: Job<{ order: number }>) => {
    if (isBroken) throw Object.assign(new Error('Unauthorized'), { code: '401' });
    sent += 1;
    return data.order;
  };
  stage.worker(
    once(processor, {
      ledger,
      key: (job) => ['notice', job.data.order],
      // The provider's look-up is slow, and does not find the email.
      resolver: async () => {
        asked += 1;
        if (!isBroken) await sleep(resolverMs);
        return 'unknown';
      },
    }) as never,
  );
  const job = await queue.add('n', { order: 1 });
  await eventually(async () => expect(await job.getState()).toBe('failed'));
  isBroken = false;
  const { doubts } = await chooseDoubts(ledger, {});
  expect(doubts).toHaveLength(1);
  const key = deriveKey(['notice', 1]);
  return { stage, job, key, doubts, counts: () => ({ sent, asked }) };
}

test('"not sent" while the job runs and waits for the look-up: it is sent, or a person sees it', async () => {
  const { stage, job, key, doubts, counts } = await failedJob(500);
  const { ledger, queue } = stage;
  const before = counts().asked;
  // Another person retries the job, in Bull Board.
  await job.retry();
  await eventually(() => expect(counts().asked).toBe(before + 1));
  const many = { verdict: 'not-sent', by: 'Ann', retryIn: () => queue } as const;
  const resolved = await resolveEmails({ ledger }, doubts, many);
  expect(resolved.problems).toEqual([]);
  await sleep(1_500);
  // Not sent, not listed, and the job will not run again.
  const now = {
    sent: counts().sent,
    record: (await ledger.read(key))?.state,
    job: await job.getState(),
  };
  expect(now).not.toEqual({ sent: 0, record: undefined, job: 'failed' });
  expect(now.sent).toBe(1);
});

test('a server that was killed between the verdict and the retry, without a journal', async () => {
  const { stage, job, doubts, counts } = await failedJob(0);
  const { ledger, queue } = stage;
  const [doubt] = doubts;
  const secret = 's'.repeat(32);
  const board = dashboard({ ledger, queues: [queue], authorize: byHeader, secret });
  // The killed server got so far: the verdict is recorded, and the job is not retried.
  await ledger.resolve({ ...doubt!, verdict: 'not-sent', by: 'ada', retentionMs: 60_000 });
  // The page sends the step again, to the next server.
  const answered = await board.fetch(
    new Request('http://shop.example/doubts/resolve', {
      method: 'POST',
      headers: { host: 'shop.example', 'x-user': 'ada', 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({
        csrf: formToken(secret, 'ada', 'doubts'),
        emails: `${doubt!.key}.${doubt!.token}`,
        verdict: 'not-sent',
        retry: 'yes',
        count: '1',
      }),
    }),
  );
  const text = (await answered.text()).replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
  await sleep(500);
  if (counts().sent === 0) {
    expect(await job.getState()).toBe('failed');
    expect(text).toContain('1 email to look at');
    expect(text).toContain('nothing sends it');
  }
});
