import { attemptsOf, type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import type { Settings } from './explain-options.ts';

/** What holds, and until when. */
export function promise(settings: Settings, numbers: ExplainedNumbers): string {
  const retention = formatExact(numbers.retentionMs);
  return (
    `Each email leaves at most once per key for ${retention} after its outcome, as long as ` +
    `${conditions(settings)}; one that was surely not sent ${tries(settings, numbers)}.`
  );
}

/** What becomes of an email whose outcome is unknown. */
export function window(settings: Settings, numbers: ExplainedNumbers): string {
  const atSend = settings.dispatch === 'at-send';
  const point = atSend ? 'just before it can leave' : 'before the first line of the processor';
  return (
    `An email whose sender dies between its dispatch (${point}) and the outcome is in doubt ` +
    `${formatExact(numbers.doubtAfterMs)} after its last sign of life (at once where an error leaves the ` +
    `outcome unknown), ${ending(settings, numbers)}.`
  );
}

/** What follows a doubt, up to the person. */
export function ending(settings: Settings, numbers: ExplainedNumbers): string {
  const { resolver, replayWithinMs, maxStalledCount } = settings;
  if (maxStalledCount === 0) {
    return 'and is held for a person, since its job fails at the first stall';
  }
  if (replayWithinMs === undefined) {
    if (!resolver) return 'and is held for a person';
    return 'is shown to the resolver, and is held for a person where that does not know';
  }
  const first = resolver ? 'is shown to the resolver, is' : 'is';
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

/** From the dispatch of a sender that dies as late as it can until its job is back. */
export function latestReplayMs(settings: Settings, numbers: ExplainedNumbers): number {
  return settings.sendTimeoutMs + numbers.backInDoubtMs;
}

function conditions({ replayWithinMs, sdkRetries }: Settings): string {
  const all = ['the ledger keeps what it acknowledged'];
  if (replayWithinMs !== undefined) all.push('the provider its idempotency key');
  if (sdkRetries > 0) {
    all.push(`an SDK that tries up to ${sdkRetries + 1} times by itself sends it once`);
  }
  return all.join(' and ');
}

function tries(settings: Settings, { lastAttemptMs }: ExplainedNumbers): string {
  const attempts = attemptsOf(settings);
  if (attempts === 1) return 'gets one attempt, and then fails in sight';
  return `gets up to ${attempts} attempts, ${waits(settings, lastAttemptMs)}, and then fails in sight`;
}

function waits({ backoff }: Settings, lastAttemptMs: number | undefined): string {
  if (lastAttemptMs === undefined) return 'with waits of your own';
  if (lastAttemptMs === 0) return 'without a wait';
  return `with waits of ${backoff.jitter ? 'at most ' : ''}${formatExact(lastAttemptMs)} in all`;
}
