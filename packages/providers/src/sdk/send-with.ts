import { type Claim, currentClaim, OptionError } from '@sendonce/core';
import { checkFunction, describe, registerDispatcher } from '@sendonce/core/ledger';
import { toUuid } from '../idempotency-key.ts';
import { type Outcome, toVerdict } from '../outcome.ts';
import { ProviderError } from '../provider-error.ts';
import { reportOutcome } from '../provider-transport.ts';
import { NO_ANSWER, type SdkAdapter } from './sdk-adapter.ts';
import { watchRequests } from './watch-requests.ts';

// At the import, and not at the first email: until then, an error that a processor throws before
// its first sendWith() would be a doubt.
registerDispatcher();

/** What the call of {@link sendWith} gets: the key of the email, in two forms. */
export interface SdkKeys {
  /** The idempotency key of the email: 22 characters, the same in each attempt. */
  readonly idempotencyKey: string;
  /** The same key as a UUID (version 8), for Brevo. */
  readonly uuid: string;
}

/**
 * Sends the email of a claim with the provider's SDK: dispatches, calls, reads the SDK's result or
 * error, and records what it means. Use it in a processor that `once()` has wrapped with `dispatch:
 * 'at-send'`, or in `perform()`. Everything that may fail for another reason belongs before it: a
 * template, a database.
 *
 * @param sdk reads the results of the SDK: `resendSdk`, `brevoSdk`, `sendGridSdk`, `postmarkSdk`,
 *   `sesSdk`, `mailgunSdk`, `fetchCall`, or an {@link SdkAdapter} of yours.
 * @param call makes one request for one email, and returns the SDK's promise. Give the key to the
 *   SDK if the provider knows keys, and the same content in each attempt. The SDK must not repeat
 *   the request: see its adapter.
 * @returns the SDK's own result. Undefined if the SDK reports as an error that an earlier request
 *   with this key sent the email (Brevo).
 * @throws {ProviderError} if the email was not sent, or if that is unknown: `mayHaveLeft`. Its
 *   `sdkError` is what the SDK threw or resolved with.
 * @throws {ProviderError} outside of a claim. Nothing was sent.
 * @throws {OptionError} for an SDK's client in place of its adapter, or a call that is not a
 *   function. Nothing was sent.
 * @throws {ClaimLostError} when another attempt has taken over. Nothing was sent.
 * @throws {SecondEmailError} for a second email under one claim. It was not sent.
 *
 * @example
 * once(
 *   async (job: Job<Notice>) =>
 *     sendWith(resendSdk, ({ idempotencyKey }) =>
 *       resend.emails.send(render(job.data), { idempotencyKey }),
 *     ),
 *   { ledger, key, dispatch: 'at-send' },
 * );
 */
export async function sendWith<R>(
  sdk: SdkAdapter,
  call: (keys: SdkKeys) => Promise<R>,
): Promise<R | undefined> {
  checkAdapter(sdk);
  const claim = currentClaim();
  if (isPromise(call)) throw startedTooEarly(sdk, claim, call);
  checkFunction('call', call);
  if (!claim) throw outsideClaim(sdk);
  // Begun at once, so that the claim waits for a send that the processor does not await.
  const effect = claim.begin();
  await effect.dispatch();
  const { outcome, result, said } = await callOnce(sdk, call, claim.key);
  reportOutcome(sdk.name, outcome, effect, said);
  return result;
}

/** What the SDK said, and what it means. */
interface SdkAnswer<R> {
  readonly outcome: Outcome;
  /** What it resolved with, if it did. */
  readonly result: R | undefined;
  /** What it threw or resolved with. */
  readonly said: unknown;
}

/** The call returns nothing, or not what the SDK returns. */
const noResult: Outcome = { state: 'unknown', code: 'no-result' };

/** Never throws. */
async function callOnce<R>(
  sdk: SdkAdapter,
  call: (keys: SdkKeys) => Promise<R>,
  key: string,
): Promise<SdkAnswer<R>> {
  let isKeyed = false;
  const keys: SdkKeys = {
    get idempotencyKey() {
      isKeyed = true;
      return key;
    },
    get uuid() {
      isKeyed = true;
      return toUuid(key);
    },
  };
  const { returned, requests } = watchRequests(async () => call(keys));
  let answer: SdkAnswer<R>;
  try {
    const result = await returned;
    const read = () => sdk.readResult(result, isKeyed);
    const outcome = result === undefined ? noResult : await readSafely(read);
    answer = { outcome, result, said: result };
  } catch (error) {
    const outcome = await readSafely(() => sdk.readError(error, isKeyed));
    answer = { outcome, result: undefined, said: error };
  }
  return { ...answer, outcome: withEvidence(answer.outcome, requests) };
}

/** What the requests prove beyond what the SDK says. */
function withEvidence(
  outcome: Outcome,
  { unconnectedCode, isRepeated, hasPosted }: ReturnType<typeof watchRequests>['requests'],
): Outcome {
  const verdict = toVerdict(outcome.state);
  if (verdict === 'sent') return outcome;
  // A refusal of the second request proves nothing about the first one, and neither does the
  // connection that was not made for it.
  const isRefusal = verdict !== 'unknown';
  if ((isRepeated && isRefusal) || (hasPosted && verdict === 'not-sent'))
    return { ...outcome, state: 'unknown', code: 'repeated' };
  if (outcome.code !== NO_ANSWER || unconnectedCode === undefined) return outcome;
  return { state: 'not-sent', code: unconnectedCode };
}

/** An error may have a getter that throws, and the adapter may be another's. */
async function readSafely(read: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    const outcome = await read();
    // Without types, the state may be any value.
    if ((toVerdict(outcome.state) as string | undefined) !== undefined) return outcome;
  } catch {
    // What cannot be read proves nothing.
  }
  return { state: 'unknown', code: 'unreadable' };
}

function checkAdapter(sdk: unknown): asserts sdk is SdkAdapter {
  const { name, readResult, readError } = (sdk ?? {}) as Partial<SdkAdapter>;
  const reads = typeof readResult === 'function' && typeof readError === 'function';
  if (reads && typeof name === 'string') return;
  throw new OptionError(
    'sdk',
    `Expected "sdk" to be an adapter such as resendSdk, got ${describe(sdk)}. Nothing was sent. Use the ` +
      'client in the call: sendWith(resendSdk, () => resend.emails.send(email)).',
  );
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** The SDK was called before the dispatch, so the email may have been sent without it. */
function startedTooEarly(
  sdk: SdkAdapter,
  claim: Claim | undefined,
  started: PromiseLike<unknown>,
): ProviderError {
  started.then(undefined, () => {});
  const error = new ProviderError(
    sdk.name,
    { state: 'unknown', code: 'not-a-function' },
    'sendWith() got a promise: the SDK was called before the email was dispatched. The email may have been sent, so ' +
      'it is not sent again. Pass a function: sendWith(sdk, () => client.send(email)). Look the email up at ' +
      'the provider, then resolve the doubt.',
  );
  claim?.begin().report({ verdict: 'unknown', note: 'not-a-function', error });
  return error;
}

function outsideClaim(sdk: SdkAdapter): ProviderError {
  return new ProviderError(
    sdk.name,
    { state: 'not-sent', code: 'outside-claim' },
    'The email was not sent: sendWith() was called outside of a claim. Call it in a processor that once() has wrapped, ' +
      'or in perform(). For an email that needs no record, call the SDK without sendWith().',
  );
}
