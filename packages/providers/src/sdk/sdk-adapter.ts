import { errorCode } from '@sendonce/core/ledger';
import { networkErrorCode, neverConnected } from '../network-error.ts';
import type { Outcome } from '../outcome.ts';
import type { HttpAnswer } from '../post-once.ts';

/**
 * Reads what an SDK resolved or rejected with, for {@link sendWith}. `resendSdk`, `brevoSdk`,
 * `sendGridSdk`, `postmarkSdk`, `sesSdk`, `mailgunSdk` and `fetchCall` are adapters. Write one for
 * another SDK: three members.
 *
 * Answer `unknown` unless the answer proves something: an email that is called `refused` or
 * `rejected` is sent again or dropped.
 *
 * @example
 * const shopSdk: SdkAdapter = {
 *   name: 'Shop mail',
 *   readResult: (result) => ({ state: 'sent', messageId: (result as { id: string }).id }),
 *   readError: (error) => ({
 *     state: (error as { status?: number }).status === 429 ? 'refused' : 'unknown',
 *   }),
 * };
 */
export interface SdkAdapter {
  /** The name of the provider, which errors show. */
  readonly name: string;
  /**
   * What the SDK's result means.
   * @param keyed whether the call read the idempotency key, so that the request has it.
   */
  readonly readResult: (result: unknown, keyed: boolean) => Outcome | Promise<Outcome>;
  /** What the SDK's error means, see `readResult`. */
  readonly readError: (error: unknown, keyed: boolean) => Outcome;
}

/**
 * @internal The code of an outcome where the SDK shows only that it got no answer. sendWith() then
 * checks whether a connection was made.
 */
export const NO_ANSWER = 'no-answer';

/** @internal An answer, as an SDK shows it. `headers` is a `Headers`, or a plain object. */
export function toAnswer(status: number, json: unknown, headers?: unknown): HttpAnswer {
  return { status, json, headers: { get: (name) => readHeader(headers, name) } };
}

function readHeader(headers: unknown, name: string): string | null {
  if (typeof headers !== 'object' || headers === null) return null;
  const { get } = headers as { readonly get?: unknown };
  const value: unknown =
    typeof get === 'function'
      ? get.call(headers, name)
      : Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

/** @internal The outcome of a call that got no answer. */
export function readNoAnswer(error: unknown): Outcome {
  return neverConnected(error)
    ? { state: 'not-sent', code: networkErrorCode(error) }
    : { state: 'unknown', code: unknownCode(error) };
}

function unknownCode(error: unknown): string | undefined {
  const code = errorCode(error);
  return code === 'error' || code === 'Error' || code === '0' ? undefined : networkErrorCode(error);
}

/** @internal Whether a value can be the status of an HTTP answer. */
export function isStatus(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599;
}
