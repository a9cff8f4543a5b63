import type { ExplainOptions } from '../src/explain-options.ts';
import * as runs from './explain-runs.ts';

/** One configuration: what explain() says of it, and the run that shows it. */
export interface Row {
  readonly name: string;
  readonly options: ExplainOptions;
  readonly sentences: readonly [string, string];
  /** Errors and warnings, by their checks. */
  readonly warned: readonly string[];
  readonly run: runs.Run;
}

// Scaled down by about 150: 30 s are 200 ms, 15 min are 900 ms.
const once = { leaseMs: 200, retentionMs: 1000, dispatch: 'at-send' } as const;
const worker = { lockDuration: 300, stalledInterval: 150 };
const sendTimeoutMs = 50;
const retry = { attempts: 3, backoff: 20 };

const kept = 'as long as the ledger keeps what it acknowledged';
const knows = `${kept} and the provider its idempotency key`;
const once1s = 'Each email is sent at most once per key for 1 s after its outcome';
const three =
  'an email that was certainly not sent gets up to 3 attempts, with waits of 40 ms in all, and then its job fails.';
const single = 'an email that was certainly not sent gets one attempt, and then its job fails.';
const dies =
  'An email whose sender dies between its dispatch (just before it can be sent) and the outcome';
const doubt = `${dies} is in doubt 400 ms after its last heartbeat (at once if an error leaves the outcome unknown)`;
const held = `${doubt}, and is held for a person.`;

export const table: readonly Row[] = [
  {
    name: 'a sender that dies past its dispatch: held',
    options: { once, job: retry, worker, sendTimeoutMs },
    sentences: [`${once1s}, ${kept}; ${three}`, held],
    warned: ['send timeout'],
    run: runs.heldAfterDispatch,
  },
  {
    name: 'before-processor: in doubt from the first line on',
    options: { once: { ...once, dispatch: 'before-processor' }, job: retry, worker, sendTimeoutMs },
    sentences: [
      `${once1s}, ${kept}; ${three}`,
      'An email whose sender dies between its dispatch (before the first line of the processor) and the outcome is ' +
        'in doubt 400 ms after its last heartbeat (at once if an error leaves the outcome unknown), and is held for a person.',
    ],
    warned: ['doubts', 'send timeout'],
    run: runs.heldFromTheFirstLine,
  },
  {
    name: 'a sender that dies before its dispatch: tried again after the lease, without another attempt',
    options: { once: { ...once, leaseMs: 900 }, worker, sendTimeoutMs },
    sentences: [
      `${once1s}, ${kept}; ${single}`,
      `${dies} is in doubt 1800 ms after its last heartbeat (at once if an error leaves the outcome unknown), and is held for a person.`,
    ],
    warned: ['attempts', 'send timeout'],
    run: runs.retried,
  },
  {
    name: 'replays: the job is back within the window',
    options: { once: { ...once, replayWithinMs: 900 }, job: retry, worker, sendTimeoutMs },
    sentences: [
      `${once1s}, ${knows}; ${three}`,
      `${doubt}, is replayed under the provider's key until 900 ms after its dispatch, and is held for a person after that.`,
    ],
    warned: [],
    run: runs.replayed,
  },
  {
    name: 'replays: every answer is lost, up to the end of the window',
    options: { once: { ...once, replayWithinMs: 700 }, job: retry, worker, sendTimeoutMs },
    sentences: [
      `${once1s}, ${knows}; ${three}`,
      `${doubt}, is replayed under the provider's key until 700 ms after its dispatch, and is held for a person after that.`,
    ],
    warned: [],
    run: runs.replayedToTheEnd,
  },
  {
    name: 'replays: the window is shorter than the way back',
    options: { once: { ...once, replayWithinMs: 300 }, job: retry, worker, sendTimeoutMs },
    sentences: [
      `${once1s}, ${knows}; ${three}`,
      `${doubt}, is replayed under the provider's key until 300 ms after its dispatch (its job may be back only after 650 ms), ` +
        'and is held for a person after that.',
    ],
    warned: ['replay window'],
    run: runs.notReplayed,
  },
  {
    name: 'replays by attempts, of which there is one',
    options: { once: { ...once, replayWithinMs: 700, onBusy: 'throw' }, worker, sendTimeoutMs },
    sentences: [
      `${once1s}, ${knows}; ${single}`,
      `${doubt}, is replayed under the provider's key by the attempts that its job has left until 700 ms after its dispatch, ` +
        'and is held for a person after that.',
    ],
    warned: ['replay attempts', 'busy attempts', 'attempts'],
    run: runs.noAttemptLeft,
  },
  {
    name: 'onBusy "throw": the attempts are over before the lease of a sender that died',
    options: {
      once: { ...once, leaseMs: 900, onBusy: 'throw' },
      job: retry,
      worker,
      sendTimeoutMs,
    },
    sentences: [
      `${once1s}, ${kept}; ${three}`,
      `${dies} is in doubt 1800 ms after its last heartbeat (at once if an error leaves the outcome unknown), and is held for a person.`,
    ],
    warned: ['busy attempts', 'send timeout'],
    run: runs.busyAttempts,
  },
  {
    name: 'a resolver is asked',
    options: {
      once: { ...once, resolver: async () => 'not-sent' },
      job: retry,
      worker,
      sendTimeoutMs,
    },
    sentences: [
      `${once1s}, ${kept}; ${three}`,
      `${doubt}, is passed to the resolver, and is held for a person if the resolver does not know.`,
    ],
    warned: [],
    run: runs.resolved,
  },
  {
    name: 'the retention ends: a copy before it is a duplicate, after it a new email',
    options: { once, job: retry, worker, sendTimeoutMs },
    sentences: [`${once1s}, ${kept}; ${three}`, held],
    warned: ['send timeout'],
    run: runs.forgotten,
  },
  {
    name: 'a delay longer than the retention: the jobId stops nothing once its job is removed',
    options: {
      once: { ...once, retentionMs: 650 },
      job: { ...retry, delay: 700, jobId: 'notice-7', removeOnComplete: true },
      worker,
      sendTimeoutMs,
    },
    sentences: [
      `Each email is sent at most once per key for 650 ms after its outcome, ${kept}; ${three}`,
      held,
    ],
    warned: ['delay', 'send timeout'],
    run: runs.addedAgain(2),
  },
  {
    name: 'the remedy of that: the retention that the warning asks for',
    options: {
      once: { ...once, retentionMs: 1341 },
      job: { ...retry, delay: 700, jobId: 'notice-7', removeOnComplete: true },
      worker,
      sendTimeoutMs,
    },
    sentences: [
      `Each email is sent at most once per key for 1341 ms after its outcome, ${kept}; ${three}`,
      held,
    ],
    warned: ['send timeout'],
    run: runs.addedAgain(1),
  },
  {
    name: 'the last attempt: exponential backoff',
    options: {
      once,
      job: { attempts: 4, backoff: { type: 'exponential', delay: 50 } },
      worker,
      sendTimeoutMs,
    },
    sentences: [
      `${once1s}, ${kept}; an email that was certainly not sent gets up to 4 attempts, with waits of 350 ms in all, and then its job fails.`,
      held,
    ],
    warned: ['send timeout'],
    run: runs.lastAttempt(4),
  },
  {
    name: 'the last attempt: jitter makes it earlier, maxStartedAttempts makes them fewer',
    options: {
      once: { ...once, onBusy: 'throw' },
      job: { attempts: 9, backoff: { type: 'fixed', delay: 150, jitter: 0.5 } },
      worker: { ...worker, maxStartedAttempts: 3 },
      sendTimeoutMs,
    },
    sentences: [
      `${once1s}, ${kept}; an email that was certainly not sent gets up to 3 attempts, with waits of at most 300 ms in all, and then its job fails.`,
      held,
    ],
    warned: ['send timeout'],
    run: runs.lastAttempt(3, 0.5),
  },
  {
    name: 'a retry after the retention sends again',
    options: {
      once: { ...once, retentionMs: 500 },
      job: { attempts: 2, backoff: 700 },
      worker,
      sendTimeoutMs,
    },
    sentences: [
      `Each email is sent at most once per key for 500 ms after its outcome, ${kept}; ` +
        'an email that was certainly not sent gets up to 2 attempts, with waits of 700 ms in all, and then its job fails.',
      held,
    ],
    warned: ['retention', 'send timeout'],
    run: runs.failsAfterwards(2),
  },
  {
    name: 'the remedy of that',
    options: {
      once: { ...once, retentionMs: 1301 },
      job: { attempts: 2, backoff: 700 },
      worker,
      sendTimeoutMs,
    },
    sentences: [
      `Each email is sent at most once per key for 1301 ms after its outcome, ${kept}; ` +
        'an email that was certainly not sent gets up to 2 attempts, with waits of 700 ms in all, and then its job fails.',
      held,
    ],
    warned: ['send timeout'],
    run: runs.failsAfterwards(1),
  },
  {
    name: 'maxStalledCount 0: a death before the dispatch fails the job',
    options: { once, job: retry, worker: { ...worker, maxStalledCount: 0 }, sendTimeoutMs },
    sentences: [
      `${once1s}, ${kept}; ${three}`,
      `${doubt}, and is held for a person, since its job fails at the first stall.`,
    ],
    warned: ['stalls', 'send timeout'],
    run: runs.failsAtFirstStall,
  },
  {
    name: 'the longest stall: two intervals to be marked, two more to be taken',
    options: {
      once: { ...once, retentionMs: 5000 },
      job: retry,
      worker: { lockDuration: 300, stalledInterval: 300 },
      sendTimeoutMs,
    },
    sentences: [
      `Each email is sent at most once per key for 5 s after its outcome, ${kept}; ${three}`,
      held,
    ],
    warned: ['send timeout'],
    run: runs.recoveredLate,
  },
  {
    name: 'an SDK that retries within one call',
    options: { once, job: retry, worker, sendTimeoutMs, sdkRetries: 2 },
    sentences: [
      `${once1s}, ${kept} and an SDK that tries up to 3 times within one call sends it once; ${three}`,
      held,
    ],
    warned: ['sdk retries', 'send timeout'],
    run: runs.sentBelow,
  },
  {
    name: 'maxStartedAttempts: a busy copy fails',
    options: { once, job: retry, worker: { ...worker, maxStartedAttempts: 2 }, sendTimeoutMs },
    sentences: [
      `${once1s}, ${kept}; an email that was certainly not sent gets up to 2 attempts, with waits of 20 ms in all, and then its job fails.`,
      held,
    ],
    warned: ['started attempts', 'send timeout'],
    run: runs.startedTooOften,
  },
  {
    name: 'a lock that is renewed too late: run beside, never a second email',
    options: { once, job: retry, worker: { ...worker, lockRenewTime: 5000 }, sendTimeoutMs: 900 },
    sentences: [`${once1s}, ${kept}; ${three}`, held],
    warned: ['send timeout', 'lock renewal'],
    run: runs.runBeside,
  },
];
