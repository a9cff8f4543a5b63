import { type Finding, isSendonceError, type OptionError } from '@sendonce/core';
import { onBusyMachine } from '@sendonce/ledger-tests';
import { describe, expect, test } from 'vitest';
import { type Explanation, explain, explainLine } from '../src/explain.ts';
import type { ExplainOptions } from '../src/explain-options.ts';
import { openScene, scaleOptions } from './explain-scene.ts';
import { table } from './explain-table.ts';
import { onBothVersions } from './stage.ts';

onBothVersions((bullmq) => {
  test.each(table)(
    '$name',
    async ({ options, sentences, warned, run }) => {
      const explained = explain(options);
      expect(explained.sentences).toEqual(sentences);
      expect(checksOf(explained, 'error', 'warning')).toEqual(warned);
      await onBusyMachine(async (scale) => {
        const scaled = scaleOptions(options, scale);
        await run(openScene(bullmq, scaled, scale), explain(scaled).numbers);
      });
    },
    180_000,
  );
});

function checksOf({ warnings }: Explanation, ...severities: Finding['severity'][]): string[] {
  return warnings.filter(({ severity }) => severities.includes(severity)).map(({ check }) => check);
}

const foundBy = (check: string, options: ExplainOptions): Finding | undefined =>
  explain(options).warnings.find((finding) => finding.check === check);

const atSend = { once: { dispatch: 'at-send' }, job: { attempts: 3, backoff: 1000 } } as const;

describe('without a run', () => {
  test('nothing said: the defaults, whose they are, and what follows', () => {
    const explained = explain();
    expect(explained.sentences).toEqual([
      'Each email is sent at most once per key for 7 days after its outcome, as long as the ledger keeps what it acknowledged; ' +
        'an email that was certainly not sent gets one attempt, and then its job fails.',
      'An email whose sender dies between its dispatch (before the first line of the processor) and the outcome is in doubt ' +
        '60 s after its last heartbeat (at once if an error leaves the outcome unknown), and is held for a person.',
    ]);
    expect(explained.numbers).toEqual({
      lastAttemptMs: 0,
      stallRecoveryMs: 120_000,
      retriedAfterMs: 120_000,
      doubtAfterMs: 60_000,
      backInDoubtMs: 120_000,
      replayUntilMs: undefined,
      retentionMs: 604_800_000,
      longestComebackMs: 120_000,
    });
    expect(checksOf(explained, 'error', 'warning')).toEqual(['doubts']);
    expect(checksOf(explained, 'info')).toEqual(['event loop', 'retry by hand']);
    expect(explained.assumed).toContainEqual({
      option: 'worker.stalledInterval',
      value: 30_000,
      source: 'WorkerOptions of BullMQ',
    });
    expect(explained.assumed).toHaveLength(14);
    expect(explain({ worker: { stalledInterval: 30_000 } }).assumed).toHaveLength(13);
  });

  test('explain() never says "exactly once", and each finding says what was found and what to do', () => {
    for (const { options } of table) {
      const { sentences, warnings } = explain(options);
      expect(sentences.join(' ')).not.toMatch(/exactly once/i);
      for (const { found, remedy } of warnings) {
        expect([found, remedy]).toEqual([
          expect.stringMatching(/^[A-Z].*\.$/),
          expect.stringMatching(/^[A-Z].*\.$/),
        ]);
      }
    }
  });

  test('one line for the start of a worker', () => {
    expect(explainLine()).toBe(
      "sendonce: at most once per key for 7 days after the outcome; a dead sender's email is in doubt after 60 s, " +
        'and is held for a person; see explain(): doubts',
    );
    const replays = { ...atSend, once: { ...atSend.once, replayWithinMs: 900_000 } };
    expect(explainLine({ ...replays, sendTimeoutMs: 30_000 })).toBe(
      "sendonce: at most once per key for 7 days after the outcome; a dead sender's email is in doubt after 60 s, " +
        "is replayed under the provider's key until 15 min after its dispatch, and is held for a person after that",
    );
  });

  test('the last attempt of a custom backoff strategy cannot be computed', () => {
    const options = { ...atSend, job: { attempts: 3, backoff: { type: 'mine' } } };
    const { numbers, sentences } = explain(options);
    expect(numbers).toMatchObject({ lastAttemptMs: undefined, longestComebackMs: undefined });
    expect(sentences[0]).toContain(
      'gets up to 3 attempts, with the waits of a custom strategy, and then',
    );
    expect(foundBy('backoff', options)).toMatchObject({ severity: 'info' });
  });

  test('0 means what it means to BullMQ: one attempt, any number of starts, the usual renewal', () => {
    const worker = { maxStartedAttempts: 0, lockRenewTime: 0 };
    const { numbers, sentences, warnings } = explain({ job: { attempts: 0 }, worker });
    expect({ numbers, sentences, warnings }).toEqual({ ...explain(), assumed: undefined });
    expect(explain({ job: { attempts: 3, backoff: 20 }, worker }).numbers.lastAttemptMs).toBe(40);
  });

  test('the stalls of a job add up', () => {
    const job = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } };
    const { numbers } = explain({ job, worker: { maxStalledCount: 3 } });
    expect(numbers).toMatchObject({ lastAttemptMs: 3000, longestComebackMs: 363_000 });
  });

  test('a lock and a lease below the send timeout are no problem, but for a blocked event loop', () => {
    const { found, severity } = foundBy('event loop', atSend)!;
    expect(severity).toBe('info');
    expect(found).toBe(
      'A send may take 10 min, longer than the lock (30 s) and the lease (30 s). That is no problem: both are renewed while ' +
        'it runs. A blocked event loop renews nothing: from 15 s on, the job may run a second time at once (busy, ' +
        'never a second email), from 20 s on, a claim may be lost before its dispatch (released, tried again), from 50 s ' +
        'on, an email may be listed in doubt although its sender still works.',
    );
    expect(foundBy('event loop', { ...atSend, sendTimeoutMs: 30_000 })).toBeUndefined();
  });

  test.each([
    ['kept for ever', { removeOnComplete: false, removeOnFail: false }, 'completed and failed'],
    ['kept for longer', { removeOnComplete: { age: 604_801 }, removeOnFail: true }, 'completed'],
    ['so many of them', { removeOnComplete: true, removeOnFail: 100 }, 'failed'],
    ['kept for as long', { removeOnComplete: { age: 604_800 }, removeOnFail: 0 }, undefined],
  ])('jobs that are %s: what a retry by hand finds', (_name, job, kept) => {
    const found = foundBy('retry by hand', { job })?.found;
    if (kept === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(`may keep ${kept} jobs for longer`);
  });

  test.each<[string, ExplainOptions, Finding['severity'] | undefined]>([
    ['delay', { job: { delay: 8 * 86_400_000 } }, 'error'],
    ['delay', { job: { delay: 8 * 86_400_000, jobId: 'a' } }, 'warning'],
    ['delay', { job: { delay: 8 * 86_400_000, jobId: 'a', removeOnComplete: true } }, 'error'],
    ['delay', { job: { delay: 604_680_001 } }, 'error'],
    ['delay', { job: { delay: 604_680_000 } }, undefined],
    ['sdk retries', { sdkRetries: 1 }, 'error'],
    ['sdk retries', { sdkRetries: 1, once: { replayWithinMs: 900_000 } }, 'warning'],
    ['send timeout', { sendTimeoutMs: 599_999 }, 'warning'],
    ['send timeout', { sendTimeoutMs: 600_000 }, undefined],
    ['replay window', { once: { replayWithinMs: 720_000 } }, undefined],
    ['replay window', { once: { replayWithinMs: 719_999 } }, 'warning'],
    ['doubts', { once: { resolver: async () => 'unknown' } }, undefined],
    [
      'started attempts',
      { once: { onBusy: 'throw' }, worker: { maxStartedAttempts: 3 } },
      undefined,
    ],
    ['test mode', { once: { testMode: true } }, 'error'],
    ['test mode', { once: { testMode: false } }, undefined],
    ['log', { job: { keepLogs: 2 } }, 'info'],
    ['log', { job: { keepLogs: 10 } }, undefined],
  ])('%s: %o', (check, options, severity) => {
    expect(foundBy(check, options)?.severity).toBe(severity);
  });
});

const wrong: [string, object | null][] = [
  ['options', null],
  ['leaseMs', { leaseMs: 30_000 }],
  ['once', { once: 30_000 }],
  ['leaseMs', { once: { leaseMs: 0 } }],
  ['leaseMs', { once: { leaseMs: null } }],
  ['retentionMs', { once: { leaseMs: 2000, retentionMs: 1000 } }],
  ['dispatch', { once: { dispatch: 'at-end' } }],
  ['replayWithinMs', { once: { replayWithinMs: '15 min' } }],
  ['resolver', { once: { resolver: 'sent' } }],
  ['onBusy', { once: { onBusy: 'wait' } }],
  ['testMode', { once: { testMode: 'false' } }],
  ['job', { job: null }],
  ['job.attempts', { job: { attempts: 2.5 } }],
  ['job.backoff', { job: { backoff: -1 } }],
  ['job.backoff', { job: { backoff: null } }],
  ['job.backoff.type', { job: { backoff: { delay: 5 } } }],
  ['job.backoff.delay', { job: { backoff: { type: 'fixed', delay: '5' } } }],
  ['job.backoff.jitter', { job: { backoff: { type: 'fixed', delay: 5, jitter: 2 } } }],
  ['job.delay', { job: { delay: Number.NaN } }],
  ['job.removeOnComplete', { job: { removeOnComplete: 'yes' } }],
  ['job.removeOnFail.age', { job: { removeOnFail: { age: -1 } } }],
  ['job.jobId', { job: { jobId: 7 } }],
  ['job.keepLogs', { job: { keepLogs: -2 } }],
  ['worker.lockDuration', { worker: { lockDuration: 0 } }],
  ['worker.lockRenewTime', { worker: { lockRenewTime: Infinity } }],
  ['worker.stalledInterval', { worker: { stalledInterval: '30s' } }],
  ['worker.maxStalledCount', { worker: { maxStalledCount: 0.5 } }],
  ['worker.maxStartedAttempts', { worker: { maxStartedAttempts: -1 } }],
  ['sendTimeoutMs', { sendTimeoutMs: 0 }],
  ['sdkRetries', { sdkRetries: true }],
];

test.each(wrong)('%s of %o is refused at once', (option, options) => {
  for (const ask of [explain, explainLine]) {
    let refused: unknown;
    try {
      ask(options as ExplainOptions);
    } catch (error) {
      refused = error;
    }
    expect(isSendonceError(refused, 'SENDONCE_OPTION')).toBe(true);
    expect((refused as OptionError).option).toBe(option);
    expect((refused as OptionError).message).toContain(`"${option}"`);
  }
});
