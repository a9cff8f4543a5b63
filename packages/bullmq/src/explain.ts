import type { Finding } from '@sendonce/core';
import { compute, type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import { type Assumed, type ExplainOptions, fillIn } from './explain-options.ts';
import { ending, promise, window } from './explain-sentences.ts';
import { findings } from './explain-warnings.ts';

/** What {@link explain} returns. */
export interface Explanation {
  /** The promise and until when it holds; and what happens to an email in doubt. */
  readonly sentences: readonly [string, string];
  /** What weakens the promise, the most severe first. */
  readonly warnings: readonly Finding[];
  /** The durations that the sentences are made of. */
  readonly numbers: ExplainedNumbers;
  /** The defaults that were assumed. */
  readonly assumed: readonly Assumed[];
}

/**
 * Explains in two sentences what your configuration promises and until when. It compares the lease,
 * the retention and the provider's window of {@link once} with the attempts, backoffs, locks and
 * stalls of BullMQ. It only computes: `ledger.doctor()` checks the store itself.
 * @throws {OptionError} for a wrong option.
 *
 * @example
 * const { sentences, warnings } = explain({
 *   once: { dispatch: 'at-send', replayWithinMs: 15 * 60_000 },
 *   job: { attempts: 5, backoff: { type: 'exponential', delay: 1000 } },
 *   sendTimeoutMs: 30_000,
 * });
 */
export function explain(options: ExplainOptions = {}): Explanation {
  const { settings, assumed } = fillIn(options);
  const numbers = compute(settings);
  return {
    sentences: [promise(settings, numbers), window(settings, numbers)],
    warnings: findings(settings, numbers),
    numbers,
    assumed,
  };
}

/**
 * The answer of {@link explain} in one line, for the log when a worker starts.
 * @throws {OptionError} for a wrong option.
 *
 * @example console.log(explainLine({ once: options, worker: workerOptions }));
 */
export function explainLine(options: ExplainOptions = {}): string {
  const { settings } = fillIn(options);
  const numbers = compute(settings);
  const checks = findings(settings, numbers)
    .filter(({ severity }) => severity !== 'info')
    .map(({ check }) => check);
  const warned = checks.length > 0 ? `; see explain(): ${checks.join(', ')}` : '';
  return (
    `sendonce: at most once per key for ${formatExact(numbers.retentionMs)} after the outcome; a dead sender's email ` +
    `is in doubt after ${formatExact(numbers.doubtAfterMs)}, ${ending(settings, numbers)}${warned}`
  );
}
