import type { Finding } from '@sendonce/core';
import { copyAfterRetention, comebackAfterRetention, retriedByHand } from './explain-retention.ts';
import { attemptsOf, type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import { PATIENT_MS, type Settings } from './explain-options.ts';
import { latestReplayMs } from './explain-sentences.ts';

type Check = (settings: Settings, numbers: ExplainedNumbers) => Finding | undefined;

/** All that undermines the promise, or is worth knowing; the worst first. */
export function findings(settings: Settings, numbers: ExplainedNumbers): readonly Finding[] {
  const found = checks.flatMap((check) => check(settings, numbers) ?? []);
  const rank = { error: 0, warning: 1, info: 2 };
  return found.toSorted((one, other) => rank[one.severity] - rank[other.severity]);
}

const sdkRetries: Check = ({ sdkRetries, replayWithinMs }) => {
  if (sdkRetries === 0) return undefined;
  const keyed = replayWithinMs !== undefined;
  return {
    severity: keyed ? 'warning' : 'error',
    check: 'sdk retries',
    found:
      `The SDK tries up to ${sdkRetries + 1} times inside one call, after one dispatch: a try whose answer was ` +
      'lost may have sent the email, and the next one sends it again. sendonce does not see it.' +
      (keyed ? ' It does no harm only where each try carries the same idempotency key.' : ''),
    remedy:
      'Set its retries to 0: the attempts of the job, and the replays, do it under the claim.',
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
      `A job whose sender dies may be back only ${formatExact(backMs)} after its dispatch (a send of up to ` +
      `${formatExact(sendTimeoutMs)}, then ${formatExact(numbers.backInDoubtMs)} until its job is run again and the doubt is one), but the provider ` +
      `knows the email for ${formatExact(replayWithinMs)}: it would be held for a person, not replayed.`,
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
        ? ', and it has only one: an email that falls in doubt by an error is not replayed.'
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
      'With onBusy "throw" a run that finds its email busy burns an attempt, and all of them ' +
      `may be over (waits of ${formatExact(lastAttemptMs)} in all) before the lease of a sender that died (${formatExact(leaseMs)}): not sent, in sight.`,
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
      'left is not sent, in sight' +
      (asked ? ', and one in doubt is neither replayed nor shown to the resolver.' : '.'),
    remedy:
      'Leave maxStalledCount at 1 or more: the ledger sees to it that another run sends nothing twice.',
  };
};

const startedAttempts: Check = ({ maxStartedAttempts, onBusy, replayWithinMs }) => {
  if (maxStartedAttempts === undefined || onBusy !== 'delay') return undefined;
  return {
    severity: 'warning',
    check: 'started attempts',
    found:
      `Each time that a job ${replayWithinMs === undefined ? 'finds its email busy' : 'finds its email busy or in doubt'} and comes back ` +
      `counts as a start: after ${maxStartedAttempts} of them it fails ("job started more than allowable limit"), though ` +
      'the other attempt may not send.',
    remedy:
      'Leave maxStartedAttempts out: attempts and maxStalledCount bound the runs, and the claim the emails.',
  };
};

const doubts: Check = ({ dispatch, resolver, replayWithinMs, classify }) => {
  if (dispatch === 'at-send' || resolver || replayWithinMs !== undefined) return undefined;
  return {
    severity: 'warning',
    check: 'doubts',
    found:
      'The email is dispatched before the processor runs: every error of it is a doubt for a person, unless it says ' +
      `that nothing was sent (NotSentError${classify ? ', or your classify' : ' or a classify'}).`,
    remedy:
      'Use dispatch "at-send" with the plugin of @sendonce/mail, a resolver, or replayWithinMs with a provider that ' +
      'knows idempotency keys.',
  };
};

const oneAttempt: Check = (settings) => {
  if (settings.dispatch !== 'at-send' || attemptsOf(settings) > 1) return undefined;
  return {
    severity: 'warning',
    check: 'attempts',
    found:
      'The job has one attempt: a refused connection, or any error before the dispatch, fails the email.',
    remedy: 'Give the job attempts and a backoff: what surely was not sent is then tried again.',
  };
};

const patience: Check = ({ sendTimeoutMs, replayWithinMs, resolver }) => {
  if (sendTimeoutMs >= PATIENT_MS || replayWithinMs !== undefined || resolver) return undefined;
  return {
    severity: 'warning',
    check: 'send timeout',
    found:
      `A sender that gives up after ${formatExact(sendTimeoutMs)} makes a doubt of an email that the mail server has taken: ` +
      'it may need 10 min for its reply to the final dot (RFC 5321, 4.5.3.2).',
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
      `The lock (${formatExact(lockDuration)}) runs out before it is renewed (lockRenewTime ${formatExact(lockRenewTime)}): a send that takes ` +
      'longer stalls, and its job is run beside it. That run is busy, never a second email; but it burns a stall.',
    remedy: 'Leave lockRenewTime out: it is half of lockDuration.',
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
      `from ${formatExact(lockDuration - lockRenewTime)} on the job may be run a second time beside the first (busy, never a ` +
      `second email), from ${formatExact(Math.floor((leaseMs * 2) / 3))} on a claim may be lost before its dispatch (given back, ` +
      `tried again), from ${formatExact(Math.floor((leaseMs * 5) / 3))} on a sender past its dispatch may be taken for dead.`,
    remedy:
      'Keep long synchronous work (rendering, compressing) out of the worker, or lockDuration and leaseMs above it.',
  };
};

const logLines: Check = ({ keepLogs }) => {
  if (!keepLogs || keepLogs >= 10) return undefined;
  return {
    severity: 'info',
    check: 'log',
    found: `The log of a job keeps its last ${keepLogs} lines: what became of the email is told there, and may be dropped.`,
    remedy: 'Keep 10 lines or more.',
  };
};

const checks: readonly Check[] = [
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
