import { ProcessorError } from './errors.ts';

/** @throws {ProcessorError} for an Observable: it would be recorded before anything ran. */
export function refuseObservable(result: unknown, mayHaveLeft: 'no' | 'maybe'): void {
  if (typeof (result as { subscribe?: unknown } | null | undefined)?.subscribe !== 'function')
    return;
  throw new ProcessorError(
    mayHaveLeft,
    'The processor returned an Observable: it would be recorded before anything ran. ' +
      `${mayHaveLeft === 'no' ? 'Nothing was sent. ' : ''}Return a promise, for example of lastValueFrom(observable).`,
  );
}
