import { attemptsOf, type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import type { Settings } from './explain-options.ts';

/** The promise, and until when it holds. */
export function promise(settings: Settings, numbers: ExplainedNumbers): string {
  const retention = formatExact(numbers.retentionMs);
  return (
    `Each email is sent at most once per key for ${retention} after its outcome, as long as ` +
    `${conditions(settings)}; an email that was certainly not sent ${tries(settings, numbers)}.`
  );
}

/** What happens to an email whose outcome is unknown. */
export function window(settings: Settings, numbers: ExplainedNumbers): string {
  const atSend = settings.dispatch === 'at-send';
  const point = atSend ? 'just before it can be sent' : 'before the first line of the processor';
  return (
    `An email whose sender dies between its dispatch (${point}) and the outcome is in doubt ` +
    `${formatExact(numbers.doubtAfterMs)} after its last heartbeat (at once if an error leaves the ` +
    `outcome unknown), ${ending(settings, numbers)}.`
  );
}

/** How a doubt ends. */
export function ending(settings: Settings, numbers: ExplainedNumbers): string {
  const { resolver, replayWithinMs, maxStalledCount } = settings;
  if (maxStalledCount === 0) {
    return 'and is held for a person, since its job fails at the first stall';
  }
  if (replayWithinMs === undefined) {
    if (!resolver) return 'and is held for a person';
    return 'is passed to the resolver, and is held for a person if the resolver does not know';
  }
  const first = resolver ? 'is passed to the resolver, is' : 'is';
  const replays = replayed(settings, numbers, replayWithinMs);
  return `${first} ${replays}, and is held for a person after that`;
}

function replayed(settings: Settings, numbers: ExplainedNumbers, withinMs: number): string {
  const by = settings.onBusy === 'throw' ? ' by the attempts that its job has left' : '';
  const until = `replayed under the provider's key${by} until ${formatExact(withinMs)} after its dispatch`;
  const backMs = latestReplayMs(settings, numbers);
  return backMs > withinMs
    ? `${until} (its job may be back only after ${formatExact(backMs)})`
    : until;
}

/**
 * The longest time from a dispatch until the job runs again, if the sender dies at the last moment.
 */
export function latestReplayMs(settings: Settings, numbers: ExplainedNumbers): number {
  return settings.sendTimeoutMs + numbers.backInDoubtMs;
}

function conditions({ replayWithinMs, sdkRetries }: Settings): string {
  const all = ['the ledger keeps what it acknowledged'];
  if (replayWithinMs !== undefined) all.push('the provider its idempotency key');
  if (sdkRetries > 0) {
    all.push(`an SDK that tries up to ${sdkRetries + 1} times within one call sends it once`);
  }
  return all.join(' and ');
}

function tries(settings: Settings, { lastAttemptMs }: ExplainedNumbers): string {
  const attempts = attemptsOf(settings);
  if (attempts === 1) return 'gets one attempt, and then its job fails';
  return `gets up to ${attempts} attempts, ${waits(settings, lastAttemptMs)}, and then its job fails`;
}

function waits({ backoff }: Settings, lastAttemptMs: number | undefined): string {
  if (lastAttemptMs === undefined) return 'with the waits of a custom strategy';
  if (lastAttemptMs === 0) return 'without a wait';
  return `with waits of ${backoff.jitter ? 'at most ' : ''}${formatExact(lastAttemptMs)} in all`;
}
