import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { currentClaim, deriveKey, resolveEmail } from '@sendonce/core';
import { errorPage } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { expect, test } from 'vitest';
import { once, type OnceOptions, skipEmail } from '../src/index.ts';
import {
  type BullMQ,
  type Job,
  onBothVersions,
  type Queue,
  type Stage,
  startStage,
} from './stage.ts';

const key = (job: Job) => ['notice', job.data.orderId];

type JobId = Pick<Job, 'id'>;

/** What bull-board's page of a job shows. */
interface Page {
  readonly status: string;
  readonly failedReason: string | undefined;
  readonly returnValue: unknown;
  readonly attempts: number;
  readonly logs: readonly string[];
}

interface Shown {
  readonly status: string;
  readonly job: Omit<Page, 'status' | 'logs'>;
}

/** bull-board on a separate port, and its page of a job, read over HTTP. */
async function bullBoard(stage: Stage, queue: Queue) {
  const serverAdapter = new ExpressAdapter();
  createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter });
  const server = createServer(serverAdapter.getRouter());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.onEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const at = (path: string) => `http://127.0.0.1:${port}/api/queues/${queue.name}/${path}`;
  async function get(path: string): Promise<string> {
    const response = await fetch(at(path));
    expect(response.status).toBe(200);
    return response.text();
  }
  const pageOf = ({ id }: JobId) => get(`${id}`);
  const logsOf = ({ id }: JobId) => get(`${id}/logs`);
  return {
    page: async (job: JobId): Promise<Page> => {
      const { job: shown, status } = JSON.parse(masked(await pageOf(job))) as Shown;
      const { failedReason, returnValue, attempts } = shown;
      const logs = JSON.parse(masked(await logsOf(job))) as string[];
      return { status, failedReason, returnValue, attempts, logs };
    },
    everything: async (job: JobId) => (await pageOf(job)) + (await logsOf(job)),
    /** The button. */
    retry: async ({ id }: JobId) => {
      const { status } = await fetch(at(`${id}/retry`), { method: 'PUT' });
      expect(status).toBeLessThan(300);
    },
  };
}

/** What differs from run to run: the times and the keys. */
function masked(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replaceAll(/(?<=(?:email|key|resolve) )[\w-]{22}(?= )/g, 'KEY');
}

/** A processor, its queue and the board that shows it. */
async function shop(bullmq: BullMQ) {
  const stage = startStage(bullmq);
  const board = await bullBoard(stage, stage.queue());
  const options: OnceOptions<Job> = {
    ledger: stage.ledger,
    key,
    fingerprint: ({ data }) => data,
    dispatch: 'at-send',
  };
  const processor = once(async ({ data: { orderId, fails } }: Job) => {
    const email = currentClaim()!.begin();
    await email.dispatch();
    if (fails) {
      email.report({
        verdict: fails === 'late' ? 'unknown' : 'rejected',
        ...errors[fails as 'late'],
      });
      throw errors[fails as 'late'].error;
    }
    email.report({ verdict: 'sent', messageId: `<${orderId}@shop.example>` });
    return { accepted: orderId };
  }, options);
  stage.worker(processor);
  return {
    stage,
    board,
    /** Adds a job, and reads its page when it has ended. */
    run: async (data: object) => {
      const job = await stage.queue().add('notice', data, { attempts: 3 });
      await stage.ended(job);
      return { job, page: await board.page(job) };
    },
  };
}

const errors = {
  late: {
    note: 'ETIMEDOUT',
    error: Object.assign(new Error('no reply for ada@example.org'), { code: 'ETIMEDOUT' }),
  },
  refused: {
    note: '550',
    error: Object.assign(new Error('550 ada@example.org is unknown'), { responseCode: 550 }),
  },
};

onBothVersions((bullmq) => {
  test("a duplicate: completed, the original's result, and whose it is", async () => {
    const { run } = await shop(bullmq);
    const original = await run({ orderId: 7 });
    expect(original.page).toMatchObject({ status: 'completed', logs: [] });
    const { page } = await run({ orderId: 7 });
    expect(page).toEqual({
      status: 'completed',
      returnValue: { accepted: 7 },
      attempts: 1,
      failedReason: undefined,
      logs: [
        'sendonce: duplicate of an email that was sent by q:1 at TIME, Message-ID <7@shop.example>',
      ],
    });
  });

  test('an email in doubt: failed once; what happened, whether it may have left, and what to do', async () => {
    const { run, board, stage } = await shop(bullmq);
    const { job, page } = await run({ orderId: 7, fails: 'late' });
    const doubt =
      'sendonce: in doubt: dispatched by q:1 (this job) at TIME (ETIMEDOUT), outcome unknown';
    expect(page).toEqual({
      status: 'failed',
      returnValue: null,
      attempts: 1,
      failedReason:
        'The email KEY is in doubt: it was dispatched by q:1 at TIME and no outcome was recorded (ETIMEDOUT). ' +
        'It may have been sent and is not sent again. Find out (ask the provider, the mail log or the customer), ' +
        'then run "npx sendonce resolve KEY --sent" or "--not-sent", or call resolveEmail(), and retry the job. ' +
        `See ${errorPage('SENDONCE_IN_DOUBT')}`,
      logs: [doubt],
    });

    // The button "Retry" before anybody has found out: nothing is sent.
    await board.retry(job);
    await eventually(async () => {
      expect(await board.page(job)).toMatchObject({ status: 'failed', logs: [doubt, doubt] });
    });
    // And after it: the page has the whole story.
    const email = deriveKey(['notice', 7]);
    const { token } = (await stage.ledger.read(email))!;
    const found = { key: email, token, verdict: 'sent', by: 'Ann', why: 'mail log' } as const;
    await resolveEmail({ ledger: stage.ledger }, found);
    await board.retry(job);
    await eventually(async () => {
      expect(await board.page(job)).toMatchObject({
        status: 'completed',
        logs: [
          doubt,
          doubt,
          'sendonce: duplicate of an email that was sent by q:1 (this job) at TIME (resolved by Ann: mail log)',
        ],
      });
    });
  });

  test('a skipped email: completed without a result, and why', async () => {
    const stage = startStage(bullmq);
    const queue = stage.queue();
    const board = await bullBoard(stage, queue);
    stage.worker(once(async () => skipEmail('unsubscribed'), { ledger: stage.ledger, key }));
    const job = await queue.add('notice', { orderId: 7 });
    await stage.ended(job);
    expect(await board.page(job)).toEqual({
      status: 'completed',
      failedReason: undefined,
      returnValue: null,
      attempts: 1,
      logs: ['sendonce: skipped (unsubscribed): not sent'],
    });
  });

  test('a cancelled email: completed without a result, and who cancelled it', async () => {
    const { run, stage } = await shop(bullmq);
    const email = deriveKey(['notice', 7]);
    await stage.ledger.cancel({ key: email, by: 'support', retentionMs: 60_000 });
    expect((await run({ orderId: 7 })).page).toEqual({
      status: 'completed',
      returnValue: null,
      attempts: 1,
      failedReason: undefined,
      logs: ['sendonce: cancelled by support at TIME: not sent'],
    });
  });

  test('a rejected email, and its copy: failed once; the reply, that it did not leave, what to do', async () => {
    const { run } = await shop(bullmq);
    const page = {
      status: 'failed',
      returnValue: null,
      attempts: 1,
      failedReason:
        'The email KEY was rejected permanently by q:1 at TIME (550). It was not sent and is not tried again under ' +
        'this key until the retention is over. Correct the cause, then run "npx sendonce resolve KEY --not-sent" ' +
        'and retry the job, or send the email under another key. ' +
        `See ${errorPage('SENDONCE_REJECTED')}`,
    };
    expect((await run({ orderId: 7, fails: 'refused' })).page).toEqual({
      ...page,
      logs: ['sendonce: rejected permanently by q:1 (this job) at TIME (550): not sent'],
    });
    expect((await run({ orderId: 7, fails: 'refused' })).page).toEqual({
      ...page,
      logs: ['sendonce: rejected permanently by q:1 at TIME (550): not sent'],
    });
  });

  test('a conflict: failed once; whose key it is, what differs, and never the values', async () => {
    const { run } = await shop(bullmq);
    await run({ orderId: 7, to: 'ada@example.org' });
    expect((await run({ orderId: 7, to: 'bob@example.org' })).page).toEqual({
      status: 'failed',
      returnValue: null,
      attempts: 1,
      failedReason:
        'The key KEY already belongs to an email with another payload, claimed by q:1 at TIME; differing: to. ' +
        'This attempt sent nothing. Put what tells the two emails apart into "key", or leave what may change out ' +
        `of "fingerprint". See ${errorPage('SENDONCE_CONFLICT')}`,
      logs: [
        'sendonce: conflict: the key belongs to an email claimed by q:1 at TIME, Message-ID <7@shop.example>: not sent',
      ],
    });
  });

  test('neither page nor stack quotes the text of an error', async () => {
    const { run, board } = await shop(bullmq);
    for (const fails of ['late', 'refused']) {
      const { job } = await run({ orderId: fails.length, fails });
      const shown = await board.everything(job);
      expect(shown).toContain('UnrecoverableError');
      expect(shown).not.toContain('ada@example.org');
    }
  });
});
