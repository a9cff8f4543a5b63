import {
  currentClaim,
  deriveKey,
  KeyConflictError,
  NotSentError,
  RejectedError,
} from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { expect, test, vi } from 'vitest';
import { once, type OnceEvent, type OnceOptions } from '../src/index.ts';
import { another, attempts, key, mailer, notice, select } from './mailer.ts';
import { gate, type Job, nextFailure, onBothVersions, startStage } from './stage.ts';

onBothVersions((bullmq) => {
  test('won: the job runs, and the ledger remembers its result', async () => {
    const stage = startStage(bullmq);
    const { events, counters } = mailer(stage);
    const job = await notice(stage);
    expect(await stage.ended(job)).toMatchObject({
      state: 'completed',
      attemptsMade: 1,
      returnvalue: { messageNumber: 1 },
      logs: [],
    });
    const record = await stage.ledger.read(key);
    expect(record).toMatchObject({
      state: 'sent',
      job: { queue: 'q', id: job.id },
      result: '{"messageNumber":1}',
    });
    expect(events).toEqual(['claimed', 'dispatched', 'sent']);
    expect(counters).toMatchObject({ claimed: 1, dispatched: 1, sent: 1, duplicate: 0 });
  });

  test('duplicate: completes with the result of the original, and its log says of which', async () => {
    const stage = startStage(bullmq);
    const { sent, events, counters } = mailer(stage);
    const original = await notice(stage);
    await stage.ended(original);
    const copy = await stage.ended(await notice(stage));
    expect(copy).toMatchObject({
      state: 'completed',
      attemptsMade: 1,
      attemptsStarted: 1,
      returnvalue: { messageNumber: 1 },
    });
    const { atMs } = (await stage.ledger.read(key))!;
    expect(copy.logs).toEqual([
      `sendonce: duplicate of an email that was sent by q:${original.id} at ${new Date(atMs).toISOString()}`,
    ]);
    expect(sent).toEqual([original.id]);
    expect(events).toEqual(['claimed', 'dispatched', 'sent', 'duplicate']);
    expect(counters).toMatchObject({ claimed: 1, sent: 1, duplicate: 1 });
  });

  test('sent, but not to all: the log, a counter and the record say so, and no retry sends it', async () => {
    const stage = startStage(bullmq);
    const options = { ledger: stage.ledger, key: select, dispatch: 'at-send' } as const;
    const notes: unknown[] = [];
    const processor = once(
      async () => {
        await currentClaim()?.dispatch();
        currentClaim()?.report({ verdict: 'sent', refused: 'cc 550, bcc 451 x2' });
      },
      {
        ...options,
        onEvent: ({ type, note }) => {
          if (type === 'partly-refused') notes.push(note);
        },
      },
    );
    stage.worker(processor);
    const seen = await stage.ended(await notice(stage));
    expect(seen).toMatchObject({
      state: 'completed',
      logs: [
        'sendonce: sent, but some of its recipients do not get it (refused: cc 550, bcc 451 x2): it is not sent to them again',
      ],
    });
    expect(notes).toEqual(['refused: cc 550, bcc 451 x2']);
    const record = await stage.ledger.read(key);
    expect(record).toMatchObject({ state: 'sent', note: 'refused: cc 550, bcc 451 x2' });
    const copy = await stage.ended(await notice(stage));
    expect(copy.logs[0]).toContain('(refused: cc 550, bcc 451 x2)');
    expect(processor.counters).toMatchObject({ sent: 1, duplicate: 1, 'partly-refused': 1 });
  });

  test('duplicate: the log names the Message-ID that was reported', async () => {
    const stage = startStage(bullmq);
    const options = { ledger: stage.ledger, key: select, dispatch: 'at-send' } as const;
    stage.worker(
      once(async () => {
        const email = currentClaim()!.begin();
        await email.dispatch();
        email.report({ verdict: 'sent', messageId: '<7@shop.example>' });
      }, options),
    );
    await stage.ended(await notice(stage));
    const { logs } = await stage.ended(await notice(stage));
    expect(logs).toEqual([expect.stringMatching(/, Message-ID <7@shop\.example>$/)]);
  });

  test('busy: the copy waits as a delayed job, uses up no attempt, and ends as a duplicate', async () => {
    const stage = startStage(bullmq);
    const { wait, open } = gate();
    const options: OnceOptions<Job> = { ledger: stage.ledger, key: select };
    const processor = once(async () => {
      await wait;
      return 'the original';
    }, options);
    stage.worker(processor, { concurrency: 2 });
    const original = await notice(stage);
    await eventually(() => expect(processor.counters.claimed).toBe(1));
    const copy = await notice(stage);
    await eventually(async () => {
      const seen = await stage.look(copy);
      expect(seen).toMatchObject({ state: 'delayed', attemptsMade: 0 });
      expect(seen.logs[0]).toBe('sendonce: busy: another attempt is sending this email');
    });
    open();
    const seen = await stage.ended(copy);
    expect(seen).toMatchObject({
      state: 'completed',
      attemptsMade: 1,
      returnvalue: 'the original',
    });
    expect(seen.attemptsStarted).toBeGreaterThan(1);
    expect(await stage.ended(original)).toMatchObject({ attemptsMade: 1 });
    expect(processor.counters).toMatchObject({ claimed: 1, sent: 1, duplicate: 1 });
    expect(processor.counters.busy).toBeGreaterThan(0);
  });

  test('busy: a copy of an attempt that died before dispatch sends when the lease is over', async () => {
    const stage = startStage(bullmq);
    const { sent } = mailer(stage);
    await stage.ledger.claim(another({ leaseMs: 200 }));
    const job = await notice(stage);
    expect(await stage.ended(job)).toMatchObject({ state: 'completed', attemptsMade: 1 });
    expect(sent).toEqual([job.id]);
  });

  test('busy counts as a start: with maxStartedAttempts BullMQ gives the copy up', async () => {
    const stage = startStage(bullmq);
    await stage.ledger.claim(another());
    const processor = once(async () => {}, { ledger: stage.ledger, key: select });
    stage.worker(processor, { maxStartedAttempts: 1 });
    const { failedReason } = await stage.ended(await notice(stage));
    expect(failedReason).toBe('job started more than allowable limit');
  });

  test('the key is computed before the processor runs: updateData changes that of later attempts', async () => {
    const stage = startStage(bullmq);
    const keys: unknown[] = [];
    const processor = once(
      async (job: Job) => {
        keys.push(currentClaim()?.key);
        await job.updateData({ order: 8 });
        if (job.attemptsMade === 0) throw new NotSentError('not yet');
      },
      { ledger: stage.ledger, key: select },
    );
    stage.worker(processor);
    await stage.ended(await notice(stage));
    expect(keys).toEqual([key, deriveKey(['notice', 8])]);
  });

  test('busy with onBusy "throw": the attempt fails with BusyError', async () => {
    const stage = startStage(bullmq);
    const { failed, sent } = mailer(stage, { onBusy: 'throw' });
    const attempt = another();
    await stage.ledger.claim(attempt);
    const job = await notice(stage);
    await eventually(() => expect(failed.length).toBeGreaterThan(1));
    await stage.ledger.release(attempt);
    expect(failed[0]!.error).toMatchObject({
      name: 'BusyError',
      code: 'SENDONCE_BUSY',
      retryAfterMs: expect.any(Number),
    });
    const seen = await stage.ended(job);
    expect(seen).toMatchObject({ state: 'completed', attemptsMade: failed.length + 1 });
    expect(sent).toEqual([job.id]);
  });

  test('rejected: fails once, unrecoverable, and later copies fail alike', async () => {
    const stage = startStage(bullmq);
    const cause = Object.assign(new Error('552 too big'), { responseCode: 552 });
    const { failed, counters } = mailer(stage, { classify: () => 'rejected' }, () => cause);
    for (let n = 0; n < 2; n++) await stage.ended(await notice(stage));
    expect(failed).toHaveLength(2);
    for (const { error, attemptsMade } of failed) {
      expect(attemptsMade).toBe(1);
      expect(error).toMatchObject({ name: 'UnrecoverableError', code: 'SENDONCE_REJECTED' });
      expect(error.cause).toBeInstanceOf(RejectedError);
    }
    expect((failed[0]!.error.cause as Error).cause).toBe(cause);
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'rejected', note: '552' });
    expect(counters).toMatchObject({ claimed: 1, rejected: 2 });
  });

  test('refused for now: given back and retried', async () => {
    const stage = startStage(bullmq);
    let failures = 0;
    const fail = () => (failures++ === 0 ? new Error('451 try later') : undefined);
    const { sent, events } = mailer(stage, { classify: () => 'refused' }, fail);
    const job = await notice(stage);
    expect(await stage.ended(job)).toMatchObject({ state: 'completed', attemptsMade: 2 });
    expect(sent).toEqual([job.id]);
    expect(events.slice(0, 3)).toEqual(['claimed', 'dispatched', 'released']);
  });

  test('cancelled: completes without sending, and its log says so', async () => {
    const stage = startStage(bullmq);
    const { sent, counters } = mailer(stage);
    await stage.ledger.cancel({ key, by: 'support', retentionMs: 60_000 });
    const seen = await stage.ended(await notice(stage));
    expect(seen).toMatchObject({ state: 'completed', attemptsMade: 1, returnvalue: null });
    expect(seen.logs).toEqual([
      expect.stringMatching(/^sendonce: cancelled by support at .*: not sent$/),
    ]);
    expect(sent).toEqual([]);
    expect(counters).toMatchObject({ cancelled: 1, claimed: 0 });
  });

  test('conflict: fails once, names the fields and never their values', async () => {
    const stage = startStage(bullmq);
    const { failed, sent, counters } = mailer(stage, { fingerprint: (job) => job.data });
    const add = (to: string) =>
      stage.queue().add('notice', { order: 7, to, text: 'secret', lang: to.length }, attempts);
    await stage.ended(await add('ann@shop.example'));
    const { failedReason } = await stage.ended(await add('ben@else.example'));
    await stage.ended(await add('jo@x.example'));
    expect(failed).toHaveLength(2);
    expect(failed[0]).toMatchObject({
      error: { name: 'UnrecoverableError', code: 'SENDONCE_CONFLICT' },
      attemptsMade: 1,
    });
    expect((failed[0]!.error.cause as KeyConflictError).fields).toEqual(['to']);
    expect((failed[1]!.error.cause as KeyConflictError).fields.toSorted()).toEqual(['lang', 'to']);
    expect(failedReason).toContain('differing: to');
    const shown = JSON.stringify([failed, await stage.ledger.read(key)]) + failed[0]!.error.stack;
    expect(shown).not.toMatch(/example|secret/);
    expect(sent).toHaveLength(1);
    expect(counters).toMatchObject({ conflict: 2, sent: 1 });
  });

  test('an error after the email left fails the attempt, and its retry is a duplicate', async () => {
    const stage = startStage(bullmq);
    let sent = 0;
    let afterwards = 0;
    const options = { ledger: stage.ledger, key: select, dispatch: 'at-send' } as const;
    const processor = once(async () => {
      const email = currentClaim()!.begin();
      await email.dispatch();
      sent += 1;
      email.report({ verdict: 'sent', messageId: '<1@x>' });
      afterwards += 1;
      throw new Error('the database is down');
    }, options);
    const failure = nextFailure(stage.worker(processor));
    const seen = await stage.ended(await notice(stage));
    expect(await failure).toMatchObject({ message: 'the database is down' });
    expect(seen).toMatchObject({ state: 'completed', attemptsMade: 2, returnvalue: null });
    expect({ sent, afterwards }).toEqual({ sent: 1, afterwards: 1 });
    expect(processor.counters).toMatchObject({ sent: 1, duplicate: 1 });
  });

  test('a larger maxResultBytes keeps a larger result', async () => {
    const stage = startStage(bullmq);
    const value = 'ü\n'.repeat(20_000);
    const options = { ledger: stage.ledger, key: select, maxResultBytes: 100_000 };
    stage.worker(once(async () => value, options));
    for (let n = 0; n < 2; n++) {
      expect((await stage.ended(await notice(stage))).returnvalue).toBe(value);
    }
  });

  test('a lost lease aborts the signal, and the email is not dispatched', async () => {
    const stage = startStage(bullmq);
    const sent: string[] = [];
    const reasons: unknown[] = [];
    const options = {
      ledger: stage.ledger,
      key: select,
      leaseMs: 90,
      dispatch: 'at-send',
    } as const;
    const processor = once(async (_job: Job, _token?: string, signal?: AbortSignal) => {
      await stage.ledger.cancel({ key, retentionMs: 60_000 });
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      reasons.push(signal?.reason);
      await currentClaim()!.dispatch();
      sent.push('mail');
    }, options);
    stage.worker(processor);
    expect(await stage.ended(await notice(stage))).toMatchObject({ state: 'completed' });
    expect(reasons).toMatchObject([{ code: 'SENDONCE_CLAIM_LOST' }]);
    expect(sent).toEqual([]);
    expect(processor.counters).toMatchObject({ lost: 1, cancelled: 1, dispatched: 0 });
  });

  test('a claim that ran out before dispatch sends nothing, and the job comes back and sends', async () => {
    const stage = startStage(bullmq);
    const sent: string[] = [];
    let runs = 0;
    const processor = once(
      async () => {
        if (++runs === 1) await stage.redis.del(...(await stage.ledgerKeys()));
        await currentClaim()!.dispatch();
        sent.push('mail');
      },
      { ledger: stage.ledger, key: select, dispatch: 'at-send' },
    );
    stage.worker(processor);
    const seen = await stage.ended(await notice(stage));
    expect(seen).toMatchObject({ state: 'completed', attemptsMade: 1, attemptsStarted: 2 });
    expect(sent).toEqual(['mail']);
  });

  test('a delay with a fraction, and a promoted job, are sent', async () => {
    const stage = startStage(bullmq);
    const { sent } = mailer(stage);
    const job = await stage.queue().add('notice', { order: 1 }, { delay: 20.5 });
    expect(await stage.ended(job)).toMatchObject({ state: 'completed' });
    const late = await stage.queue().add('notice', { order: 2 }, { delay: 60_000 });
    await late.promote();
    expect(await stage.ended(late)).toMatchObject({ state: 'completed' });
    expect(sent).toEqual([job.id, late.id]);
  });

  test('the Date of an email is when it was due, the same for every attempt', async () => {
    const stage = startStage(bullmq);
    const dates: unknown[] = [];
    const processor = once(
      async (job: Job) => {
        dates.push(currentClaim()?.emailDateMs);
        if (job.attemptsMade < 2) throw new NotSentError('not yet');
      },
      { ledger: stage.ledger, key: select },
    );
    stage.worker(processor);
    const job = await stage.queue().add('notice', { order: 7 }, { ...attempts, delay: 100 });
    await stage.ended(job);
    expect(dates).toEqual(Array(3).fill(job.timestamp + 100));
  });

  test('events carry the job, the key and the token; a listener that throws decides nothing', async () => {
    const stage = startStage(bullmq);
    const events: OnceEvent<Job>[] = [];
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    stage.onEnd(() => warned.mockRestore());
    mailer(stage, {
      onEvent(event) {
        events.push(event);
        throw new Error('a broken listener');
      },
    });
    const job = await notice(stage);
    expect(await stage.ended(job)).toMatchObject({ state: 'completed' });
    expect(events).toMatchObject(
      ['claimed', 'dispatched', 'sent'].map((type) => ({
        type,
        key,
        job: { id: job.id, queueName: 'q' },
      })),
    );
    expect(new Set(events.map(({ token }) => token)).size).toBe(1);
    const complaints = warned.mock.calls.filter(([warning]) =>
      /a broken listener/.test(String(warning)),
    );
    expect(complaints).toHaveLength(3);
  });

  test('a listener may be async: if it fails, that is a process warning', async () => {
    const stage = startStage(bullmq);
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    stage.onEnd(() => warned.mockRestore());
    mailer(stage, { onEvent: () => Promise.reject(new Error('a broken listener')) });
    expect(await stage.ended(await notice(stage))).toMatchObject({ state: 'completed' });
    const isOurs = ([warning]: unknown[]) => /a broken listener/.test(String(warning));
    await eventually(() => expect(warned.mock.calls.filter(isOurs)).toHaveLength(3));
  });

  test('NotSentError in the default mode gives the claim back', async () => {
    const stage = startStage(bullmq);
    const { counters } = mailer(stage, {}, () => new NotSentError('no template'));
    expect(await stage.ended(await notice(stage))).toMatchObject({
      state: 'failed',
      attemptsMade: 5,
    });
    expect(counters).toMatchObject({ claimed: 5, released: 5, 'in-doubt': 0 });
    expect(await stage.ledger.read(key)).toBeUndefined();
  });
});
