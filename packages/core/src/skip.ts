import { type MayHaveLeft, SkipError } from './errors.ts';
import { catchRejection } from './warn.ts';

/**
 * What an effect returns instead of its result when it decided not to send. A plain object that
 * survives JSON: a sandboxed processor returns it from another process.
 */
export interface Skip {
  readonly [skipKey]: string;
}

const skipKey = '@sendonce/skip';

/** The reason of an email whose time was over: see {@link PerformOptions.notAfterMs}. */
export const NOT_AFTER = 'not-after';

/**
 * @param reason a short code for people, such as `unsubscribed`.
 * @param mayHaveLeft what the error says about the email.
 * @throws {SkipError} unless it has 1 to 100 characters on one line, and no address.
 *
 * See {@link Claim.skip}.
 */
export function createSkip(reason: unknown, mayHaveLeft: MayHaveLeft = 'no'): Skip {
  catchRejection(reason, () => {});
  if (typeof reason !== 'string') {
    throw new SkipError(
      mayHaveLeft,
      `Expected the reason of a skip to be a string, got ${typeOf(reason)}.`,
    );
  }
  if (reason.trim() === '' || reason.length > 100) {
    throw new SkipError(
      mayHaveLeft,
      `Expected the reason of a skip to have 1 to 100 characters, got ${reason.length}` +
        `${reason.length > 0 && reason.length <= 100 ? ' blanks' : ''}.`,
    );
  }
  // Also the full-width and the small one, which a copy from a form may have.
  if (/[@\uFF20\uFE6B]|%40/.test(reason)) {
    throw new SkipError(
      mayHaveLeft,
      'The reason of a skip has an "@": it is stored and shown, so it must not contain an address. Give a ' +
        'short code, such as "unsubscribed".',
    );
  }
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(reason)) {
    throw new SkipError(
      mayHaveLeft,
      'The reason of a skip has a line break or another control or invisible character.',
    );
  }
  return Object.freeze({ [skipKey]: reason });
}

/** The reason, if a value is what `createSkip()` made, here or in another process. */
export function skipReasonOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    const reason: unknown = Object.hasOwn(value, skipKey) && (value as Skip)[skipKey];
    return typeof reason === 'string' ? reason : undefined;
  } catch {
    // A proxy that throws: it is not a skip of sendonce.
    return undefined;
  }
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
