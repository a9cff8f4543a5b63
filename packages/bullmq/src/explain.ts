import type { Finding } from '@sendonce/core';
import { compute, type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import { type Assumed, type ExplainOptions, fillIn } from './explain-options.ts';
import { ending, promise, window } from './explain-sentences.ts';
import { findings } from './explain-warnings.ts';

export interface Explanation {
  /** What holds and until when; and what becomes of an email in doubt. */
  readonly sentences: readonly [string, string];
  /** What undermines that, the worst first. */
  readonly warnings: readonly Finding[];
  readonly numbers: ExplainedNumbers;
  /** The values that you did not give, and whose defaults they are. */
  readonly assumed: readonly Assumed[];
}

/**
 * Says in two sentences what your configuration promises, and until when: leases, retention and the
 * provider's window of `once()` against the attempts, backoffs, locks and stalls of BullMQ. It only
 * computes: whether the ledger can keep what it acknowledges is asked by its `doctor()`.
 * @throws {OptionError} that names the option.
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

/** The same in one line, for the log at a worker's start. @throws {OptionError} */
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
