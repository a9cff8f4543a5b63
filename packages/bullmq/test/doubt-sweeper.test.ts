import { currentClaim, deriveKey, type Ledger, type LedgerRecord } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { doubtSweeper, type DoubtSweeperOptions, once, type OnceOptions } from '../src/index.ts';
import { type Job, onBothVersions, type Stage, startStage } from './stage.ts';

const select = (job: Job) => ['notice', job.data.order];

onBothVersions((bullmq) => {
  function open(
    options: Partial<DoubtSweeperOptions> = {},
    guarded: Partial<OnceOptions<Job>> = {},
  ) {
    const stage = startStage(bullmq);
    const { ledger } = stage;
    const sent: number[] = [];
    const processor = once(
      async (job: Job) => {
        await currentClaim()?.dispatch();
        sent.push(job.data.order as number);
      },
      { ledger, key: select, dispatch: 'at-send', ...guarded },
    );
    const sweep = async (more: Partial<DoubtSweeperOptions> = {}) => {
      const sweeper = doubtSweeper(stage.queue(), { ledger, ...options, ...more });
      const swept = await sweeper.sweep();
      await sweeper.close();
      return swept;
    };
    return { stage, ledger, sent, sweep, work: () => stage.worker(processor) };
  }

  /** A job that BullMQ has failed without running it, and whose email is in doubt. */
  async function abandoned(stage: Stage, ledger: Ledger, order = 7): Promise<string> {
    const job = await stage.queue().add('notice', { order });
    const token = 'lock';
    const worker = stage.adopt(
      new bullmq.Worker('q', undefined, { connection: stage.connection, prefix: stage.prefix }),
    );
    const active = (await worker.getNextJob(token)) as Job;
    const attempt = {
      key: deriveKey(['notice', order]),
      token: 'x'.repeat(16),
      leaseMs: 30_000,
      retentionMs: 60_000,
      job: { queue: 'q', id: job.id! },
    };
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: 'in-doubt', note: 'ECONNRESET' });
    await active.moveToFailed(new Error('job stalled more than allowable limit'), token, false);
    return job.id ?? '';
  }

  const stateOf = async (stage: Stage, id: string) => stage.queue().getJobState(id);

  test('the provider still knows it: its failed job runs again, and the email is sent', async () => {
    const { stage, ledger, sent, sweep, work } = open(
      { replayWithinMs: 60_000 },
      { replayWithinMs: 60_000 },
    );
    const id = await abandoned(stage, ledger);
    work();
    expect(await sweep()).toEqual({ sent: 0, notSent: 0, retried: 1, held: [] });
    await eventually(async () => expect(await stateOf(stage, id)).toBe('completed'));
    expect(sent).toEqual([7]);
    expect(await sweep()).toEqual({ sent: 0, notSent: 0, retried: 0, held: [] });
  });

  test.each([
    ['sent', 0],
    ['not-sent', 1],
  ] as const)('the resolver finds "%s": its job completes, emails: %i', async (verdict, emails) => {
    const { stage, ledger, sent, sweep, work } = open({ resolver: async () => verdict });
    const id = await abandoned(stage, ledger);
    work();
    const swept = await sweep();
    expect(swept).toMatchObject({ retried: 1, held: [] });
    expect([swept.sent, swept.notSent]).toEqual(verdict === 'sent' ? [1, 0] : [0, 1]);
    await eventually(async () => expect(await stateOf(stage, id)).toBe('completed'));
    expect(sent).toHaveLength(emails);
  });

  test('an email that stays unknown is held, not sent again, and listed in each sweep', async () => {
    const { stage, ledger, sent, sweep, work } = open({
      resolver: () => Promise.reject(new Error('the provider is down')),
    });
    const id = await abandoned(stage, ledger);
    work();
    for (let round = 0; round < 2; round += 1) {
      const { held, retried } = await sweep();
      expect(held).toMatchObject([
        { state: 'in-doubt', note: 'ECONNRESET', job: { queue: 'q', id } },
      ]);
      expect(retried).toBe(0);
    }
    expect(await stateOf(stage, id)).toBe('failed');
    expect(sent).toEqual([]);
  });

  test('the job is gone: held, also within the window', async () => {
    const { stage, ledger, sweep } = open({ replayWithinMs: 60_000 });
    const id = await abandoned(stage, ledger);
    await (await stage.queue().getJob(id))?.remove();
    expect((await sweep()).held).toHaveLength(1);
    // "Not sent" would end the doubt, and with it the last trace of an email that no job sends.
    const resolver = async () => 'not-sent' as const;
    expect(await sweep({ resolver })).toMatchObject({ notSent: 0, held: [{ state: 'in-doubt' }] });
    expect((await sweep()).held).toHaveLength(1);
    expect(await sweep({ resolver: async () => 'sent' })).toMatchObject({ sent: 1, held: [] });
  });

  test('the emails of another queue are left to its own sweeper', async () => {
    const { stage, ledger } = open();
    await abandoned(stage, ledger);
    const sweeper = doubtSweeper(stage.queue('other'), { ledger });
    expect(await sweeper.sweep()).toEqual({ sent: 0, notSent: 0, retried: 0, held: [] });
    await sweeper.close();
  });

  test('of a fleet one sweeps at a time', async () => {
    const asked: LedgerRecord[] = [];
    const { stage, ledger, sweep } = open({
      async resolver({ record }) {
        asked.push(record);
        await new Promise((resolve) => setTimeout(resolve, 100));
        return 'unknown';
      },
    });
    await abandoned(stage, ledger);
    const sweeps = await Promise.all(Array.from({ length: 5 }, () => sweep()));
    expect(sweeps.filter(({ busy }) => busy)).toHaveLength(4);
    expect(asked).toHaveLength(1);
    // And the next one again.
    expect((await sweep()).busy).toBeUndefined();
  });

  test('the sweeper sweeps periodically until it is closed', async () => {
    const { stage, ledger } = open();
    await abandoned(stage, ledger);
    let sweeps = 0;
    const sweeper = doubtSweeper(stage.queue(), {
      ledger,
      intervalMs: 20,
      onSwept: ({ held }) => (sweeps += held.length),
    });
    await eventually(() => expect(sweeps).toBeGreaterThan(2));
    await sweeper.close();
    const closed = sweeps;
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(sweeps).toBe(closed);
  });

  test('a sweep that takes longer than the interval does not queue others up, and closing ends it', async () => {
    const { stage, ledger } = open();
    for (const order of [1, 2, 3]) await abandoned(stage, ledger, order);
    let asked = 0;
    let answer = () => {};
    const sweeper = doubtSweeper(stage.queue(), {
      ledger,
      intervalMs: 5,
      async resolver() {
        asked += 1;
        await new Promise<void>((resolve) => (answer = resolve));
        return 'unknown';
      },
    });
    await eventually(() => expect(asked).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closed = sweeper.close();
    answer();
    await closed;
    expect(asked).toBe(1);
  });

  test('a sweeper without options is an OptionError, and not a TypeError', () => {
    const { stage } = open();
    expect(() => doubtSweeper(stage.queue(), undefined as never)).toThrow(
      'Expected "options" of doubtSweeper() to be an object, got undefined.',
    );
  });

  test('what "onSwept" throws is a process warning, and the next sweep comes', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const { stage, ledger } = open();
    let sweeps = 0;
    const sweeper = doubtSweeper(stage.queue(), {
      ledger,
      intervalMs: 20,
      async onSwept() {
        sweeps += 1;
        throw new Error('a broken listener');
      },
    });
    await eventually(() => expect(sweeps).toBeGreaterThan(2));
    await sweeper.close();
    const warnings = warned.mock.calls.map(([warning]) => String(warning)).join('\n');
    expect(warnings).toContain('Error: a broken listener');
  });

  test('it is an async disposable: disposing of it ends the sweeping', async () => {
    const { stage, ledger } = open();
    let sweeps = 0;
    const sweeper = doubtSweeper(stage.queue(), {
      ledger,
      intervalMs: 20,
      onSwept: () => (sweeps += 1),
    });
    await eventually(() => expect(sweeps).toBeGreaterThan(0));
    await sweeper[Symbol.asyncDispose]();
    const disposed = sweeps;
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(sweeps).toBe(disposed);
  });

  test.each([
    [{ ledger: {} }, 'ledger'],
    [{ intervalMs: 0 }, 'intervalMs'],
    [{ replayWithinMs: 0 }, 'replayWithinMs'],
    [{ resolver: 'hold' }, 'resolver'],
  ])('%j is refused', (wrong, option) => {
    const { stage, ledger } = open();
    expect(() => doubtSweeper(stage.queue(), { ledger, ...wrong } as never)).toThrow(
      expect.objectContaining({ code: 'SENDONCE_OPTION', option }),
    );
  });
});
