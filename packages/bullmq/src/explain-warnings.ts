import type { Finding } from '@sendonce/core';
import { copyAfterRetention, comebackAfterRetention, retriedByHand } from './explain-retention.ts';
import { attemptsOf, type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import { PATIENT_MS, type Settings } from './explain-options.ts';
import { latestReplayMs } from './explain-sentences.ts';

type Check = (settings: Settings, numbers: ExplainedNumbers) => Finding | undefined;

/** What weakens the promise or is worth knowing, the most severe first. */
export function findings(settings: Settings, numbers: ExplainedNumbers): readonly Finding[] {
  const found = checks.flatMap((check) => check(settings, numbers) ?? []);
  const rank = { error: 0, warning: 1, info: 2 };
  return found.toSorted((one, other) => rank[one.severity] - rank[other.severity]);
}

const testMode: Check = ({ testMode }) => {
  if (!testMode) return undefined;
  return {
    severity: 'error',
    check: 'test mode',
    found:
      '"testMode" is on: no email leaves. The processor does not run, and each email is recorded as skipped with ' +
      'the reason test-mode.',
    remedy: 'Remove "testMode" where customers should get emails, then run the skipped jobs again.',
  };
};

const sdkRetries: Check = ({ sdkRetries, replayWithinMs }) => {
  if (sdkRetries === 0) return undefined;
  const keyed = replayWithinMs !== undefined;
  return {
    severity: keyed ? 'warning' : 'error',
    check: 'sdk retries',
    found:
      `The SDK tries up to ${sdkRetries + 1} times inside one call, after one dispatch: a try whose answer was ` +
      'lost may have sent the email, and the next try sends it again. sendonce cannot see that.' +
      (keyed ? ' It is safe only if each try has the same idempotency key.' : ''),
    remedy: 'Set its retries to 0: the attempts and replays of the job retry under the claim.',
  };
};

const replayWindow: Check = (settings, numbers) => {
  const { replayWithinMs, sendTimeoutMs, maxStalledCount } = settings;
  const backMs = latestReplayMs(settings, numbers);
  if (replayWithinMs === undefined || backMs <= replayWithinMs || maxStalledCount === 0) {
    return undefined;
  }
  return {
    severity: 'warning',
    check: 'replay window',
    found:
      `If its sender dies, a job may run again only ${formatExact(backMs)} after its dispatch (a send of up to ` +
      `${formatExact(sendTimeoutMs)}, then ${formatExact(numbers.backInDoubtMs)} until the job runs again and the email is in doubt), but the provider ` +
      `recognises the key for ${formatExact(replayWithinMs)}: the email would be held for a person, not replayed.`,
    remedy: `Shorten the send timeout, leaseMs, lockDuration or stalledInterval until these are below ${formatExact(replayWithinMs)}.`,
  };
};

const replayAttempts: Check = (settings, { backInDoubtMs }) => {
  const { onBusy, replayWithinMs, backoff } = settings;
  if (replayWithinMs === undefined || onBusy === 'delay') return undefined;
  const none = attemptsOf(settings) === 1;
  const late = (backoff.delay ?? 0) >= replayWithinMs;
  if (!none && !late) return undefined;
  return {
    severity: 'warning',
    check: 'replay attempts',
    found:
      'With onBusy "throw" the replays are the attempts of the job' +
      (none
        ? ', and it has only one: an email that is in doubt after an error is not replayed.'
        : `, and the first wait (${formatExact(backoff.delay ?? 0)}) is as long as the provider's window.`),
    remedy: `Leave onBusy at "delay", or give the job attempts whose waits outlast ${formatExact(backInDoubtMs)} and begin before ${formatExact(replayWithinMs)}.`,
  };
};

const busyAttempts: Check = ({ onBusy, leaseMs }, { lastAttemptMs = Infinity }) => {
  if (onBusy === 'delay' || lastAttemptMs >= leaseMs) return undefined;
  return {
    severity: 'warning',
    check: 'busy attempts',
    found:
      'With onBusy "throw" a run that finds its email busy uses up an attempt, and all attempts ' +
      `may be over (waits of ${formatExact(lastAttemptMs)} in all) before the lease of a dead sender (${formatExact(leaseMs)}) ends: the job fails and the email is not sent.`,
    remedy: `Leave onBusy at "delay", or give the job waits of more than ${formatExact(leaseMs)} in all.`,
  };
};

const firstStall: Check = ({ maxStalledCount, replayWithinMs, resolver }) => {
  if (maxStalledCount > 0) return undefined;
  const asked = replayWithinMs !== undefined || resolver !== undefined;
  return {
    severity: 'warning',
    check: 'stalls',
    found:
      'With maxStalledCount 0 the death of a worker fails its job without another run: an email that had not ' +
      'been dispatched is not sent' +
      (asked ? ', and one in doubt is neither replayed nor passed to the resolver.' : '.'),
    remedy:
      'Leave maxStalledCount at 1 or more: the ledger prevents that another run sends the email twice.',
  };
};

const startedAttempts: Check = ({ maxStartedAttempts, onBusy, replayWithinMs }) => {
  if (maxStartedAttempts === undefined || onBusy !== 'delay') return undefined;
  return {
    severity: 'warning',
    check: 'started attempts',
    found:
      `Each time that a job ${replayWithinMs === undefined ? 'finds its email busy' : 'finds its email busy or in doubt'} and is delayed ` +
      `counts as a start: after ${maxStartedAttempts} of them it fails ("job started more than allowable limit"), though ` +
      'the other attempt may not have sent the email.',
    remedy:
      'Remove maxStartedAttempts: attempts and maxStalledCount limit the runs, and the claim limits the emails.',
  };
};

const doubts: Check = ({ dispatch, resolver, replayWithinMs, classify }) => {
  if (dispatch === 'at-send' || resolver || replayWithinMs !== undefined) return undefined;
  return {
    severity: 'warning',
    check: 'doubts',
    found:
      'The email is dispatched before the processor runs: every error leaves it in doubt for a person, unless the error says ' +
      `that nothing was sent (NotSentError${classify ? ', or your classify' : ' or a classify'}).`,
    remedy:
      'Use dispatch "at-send" with the plugin of @sendonce/mail, a resolver, or replayWithinMs with a provider that ' +
      'accepts idempotency keys.',
  };
};

const oneAttempt: Check = (settings) => {
  if (settings.dispatch !== 'at-send' || attemptsOf(settings) > 1) return undefined;
  return {
    severity: 'warning',
    check: 'attempts',
    found:
      'The job has one attempt: a refused connection, or any error before the dispatch, fails the email.',
    remedy:
      'Give the job attempts and a backoff: an email that was certainly not sent is then tried again.',
  };
};

const patience: Check = ({ sendTimeoutMs, replayWithinMs, resolver }) => {
  if (sendTimeoutMs >= PATIENT_MS || replayWithinMs !== undefined || resolver) return undefined;
  return {
    severity: 'warning',
    check: 'send timeout',
    found:
      `A sender that gives up after ${formatExact(sendTimeoutMs)} leaves an email in doubt that the mail server has accepted: ` +
      'a server may take 10 min to reply to the final dot (RFC 5321, section 4.5.3.2).',
    remedy:
      "Leave nodemailer's socketTimeout at 10 min. For an HTTP provider: replayWithinMs, or a resolver.",
  };
};

const renewal: Check = ({ lockRenewTime, lockDuration, sendTimeoutMs }) => {
  if (lockRenewTime < lockDuration || sendTimeoutMs < lockDuration) return undefined;
  return {
    severity: 'warning',
    check: 'lock renewal',
    found:
      `The lock (${formatExact(lockDuration)}) expires before it is renewed (lockRenewTime ${formatExact(lockRenewTime)}): a send that takes ` +
      'longer stalls, and its job runs a second time at once. That run is busy and sends nothing, but counts as a stall.',
    remedy: 'Remove lockRenewTime: its default is half of lockDuration.',
  };
};

const eventLoop: Check = ({ lockRenewTime, lockDuration, leaseMs, sendTimeoutMs }) => {
  const shorter = [
    ...(lockDuration < sendTimeoutMs ? [`the lock (${formatExact(lockDuration)})`] : []),
    ...(leaseMs < sendTimeoutMs ? [`the lease (${formatExact(leaseMs)})`] : []),
  ];
  if (shorter.length === 0 || lockRenewTime >= lockDuration) return undefined;
  return {
    severity: 'info',
    check: 'event loop',
    found:
      `A send may take ${formatExact(sendTimeoutMs)}, longer than ${shorter.join(' and ')}. That is no problem: both are ` +
      'renewed while it runs. A blocked event loop renews nothing: ' +
      `from ${formatExact(lockDuration - lockRenewTime)} on, the job may run a second time at once (busy, never a ` +
      `second email), from ${formatExact(Math.floor((leaseMs * 2) / 3))} on, a claim may be lost before its dispatch (released, ` +
      `tried again), from ${formatExact(Math.floor((leaseMs * 5) / 3))} on, an email may be listed in doubt although its sender still works.`,
    remedy:
      'Keep long synchronous work (rendering, compressing) out of the worker, or lockDuration and leaseMs above it.',
  };
};

const logLines: Check = ({ keepLogs }) => {
  if (!keepLogs || keepLogs >= 10) return undefined;
  return {
    severity: 'info',
    check: 'log',
    found: `The log of a job keeps its last ${keepLogs} lines: the lines about the email are written there and may be dropped.`,
    remedy: 'Keep 10 lines or more.',
  };
};

const checks: readonly Check[] = [
  testMode,
  sdkRetries,
  comebackAfterRetention,
  copyAfterRetention,
  replayWindow,
  replayAttempts,
  busyAttempts,
  firstStall,
  startedAttempts,
  doubts,
  oneAttempt,
  patience,
  renewal,
  eventLoop,
  retriedByHand,
  logLines,
];
