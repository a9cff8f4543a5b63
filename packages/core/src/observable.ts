import { SendonceError } from './errors.ts';

/** @throws {SendonceError} for an Observable: it would be settled before anything ran. */
export function refuseObservable(result: unknown, mayHaveLeft: 'no' | 'maybe'): void {
  if (typeof (result as { subscribe?: unknown } | null | undefined)?.subscribe !== 'function')
    return;
  throw new SendonceError(
    'SENDONCE_PROCESSOR',
    mayHaveLeft,
    'The processor returned an Observable: it would be settled before anything ran. ' +
      `${mayHaveLeft === 'no' ? 'Nothing was sent. ' : ''}Return a promise, for example of lastValueFrom(observable).`,
  );
}
