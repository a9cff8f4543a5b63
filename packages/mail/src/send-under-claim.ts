import type { Claim, Effect, Verdict } from '@sendonce/core';
import { classifyMailError, mailErrorNote, verdictOfReply } from './classify-mail-error.ts';
import { gateStream } from './gated-stream.ts';
import type { SendCallback, SentInfo, StreamPluginMessage } from './nodemailer-shapes.ts';

export interface SendUnderClaim {
  readonly claim: Claim;
  readonly message: StreamPluginMessage;
  /** Whether the transport writes to the network while it reads the message, see isSmtp(). */
  readonly smtp: boolean;
  /** Recorded with the outcome; undefined for a raw message, whose Message-ID is not known. */
  readonly messageId: string | undefined;
  /** Hands the message to the transport. */
  readonly send: (callback: SendCallback) => void;
}

/**
 * @internal Sends one message as the one email of its claim: begins the effect, dispatches at the last
 * instant, reports the outcome, and only then calls back.
 */
export function sendUnderClaim(options: SendUnderClaim, callback: SendCallback): void {
  let effect: Effect;
  try {
    effect = options.claim.begin();
  } catch (error) {
    callback(error as Error);
    return;
  }
  if (options.smtp) sendBySmtp(options, effect, callback);
  else void sendByOther(options, effect, callback);
}

function sendBySmtp(options: SendUnderClaim, effect: Effect, callback: SendCallback): void {
  const { message } = options;
  let dispatching: Promise<void> | undefined;
  /** Why the ledger forbade the email. */
  let forbidden: unknown;
  let dotMayFollow = false;
  let over = false;

  const dotAllowed = async (): Promise<boolean> => {
    // nodemailer 6 to 9 drain the stream after a refused envelope.
    if (over) return false;
    dispatching = effect.dispatch();
    try {
      await dispatching;
    } catch (error) {
      forbidden = error;
    }
    // Failed during the dispatch, and so "not sent": by a reply out of turn, a timeout, an abort. An
    // error now would be a second one, which pools of 6 to 9 throw out of the event loop.
    if (over) return false;
    // A stand-in goes through the stream: nodemailer writes its own code over that of the error.
    if (forbidden) throw new Error('The email was not dispatched: not sent.');
    dotMayFollow = true;
    return true;
  };

  // Here and not in the plugin, so that no other plugin can come between this stream and the network.
  const original = message.createReadStream.bind(message);
  message.createReadStream = (...args) => gateStream(original(...args), dotAllowed);

  const finish: SendCallback = (error, info) => {
    if (over) return;
    over = true;
    const phase = dotMayFollow ? 'after-dot' : 'before-dot';
    const conclude = () => {
      const failure = forbidden ?? error ?? (dotMayFollow ? undefined : prematureReply());
      if (failure) fail(options, effect, failure, classifyMailError(failure, phase), callback);
      else succeed(options, effect, info, callback);
    };
    if (dispatching && !dotMayFollow) void whenSettled(dispatching, conclude);
    else conclude();
  };
  handOver(options, finish);
}

/** A transport that is not known to send while it reads gets the message after the dispatch only. */
async function sendByOther(
  options: SendUnderClaim,
  effect: Effect,
  callback: SendCallback,
): Promise<void> {
  try {
    await effect.dispatch();
  } catch (error) {
    callback(error as Error);
    return;
  }
  let over = false;
  handOver(options, (error, info) => {
    if (over) return;
    over = true;
    if (error) fail(options, effect, error, classifyMailError(error), callback);
    else succeed(options, effect, info, callback);
  });
}

async function whenSettled(promise: Promise<unknown>, run: () => void): Promise<void> {
  await promise.catch(() => {});
  run();
}

function handOver({ send }: SendUnderClaim, finish: SendCallback): void {
  let called = false;
  try {
    send((error, info) => {
      called = true;
      finish(error, info);
    });
  } catch (error) {
    // Thrown by the user's own callback.
    if (called) throw error;
    finish(error instanceof Error ? error : new Error('The transport threw.', { cause: error }));
  }
}

function fail(
  { messageId }: SendUnderClaim,
  effect: Effect,
  error: unknown,
  verdict: Verdict,
  callback: SendCallback,
): void {
  effect.report({
    verdict,
    error,
    note: mailErrorNote(error),
    ...(messageId !== undefined && { messageId }),
  });
  callback(error as Error);
}

function succeed(
  options: SendUnderClaim,
  effect: Effect,
  info: SentInfo | undefined,
  callback: SendCallback,
): void {
  const refused = refusalIn(info);
  if (refused) {
    fail(options, effect, refused.error, refused.verdict, callback);
    return;
  }
  // Other transports may have an id of the provider.
  const given = options.smtp ? undefined : info?.messageId;
  const messageId = typeof given === 'string' ? given : options.messageId;
  effect.report({ verdict: 'sent', ...(messageId !== undefined && { messageId }) });
  callback(null, info);
}

/**
 * LMTP answers each recipient after the dot, and nodemailer resolves though the only one was refused.
 * 10.x tells why in `rejectedErrors`, 6 to 9 only in the reply.
 */
function refusalIn(info: SentInfo | undefined): { error: Error; verdict: Verdict } | undefined {
  if (!Array.isArray(info?.accepted) || info.accepted.length > 0) return undefined;
  if (!Array.isArray(info.rejected) || info.rejected.length === 0) return undefined;
  const code = Number(
    info.rejectedErrors?.[0]?.responseCode ?? /^\d{3}(?=[ -])/.exec(String(info.response))?.[0],
  );
  const verdict = verdictOfReply(code);
  // A 2xx reply beside a refused recipient contradicts itself.
  if (verdict === 'sent' || verdict === 'unknown') {
    const message =
      "The server's reply for the only recipient cannot be read. The email may have left: look into " +
      "the server's log, then resolve the doubt.";
    return { verdict: 'unknown', error: Object.assign(new Error(message), { code: 'EMESSAGE' }) };
  }
  const what = verdict === 'refused' ? 'for now; try again later' : 'for good; correct the cause';
  const message = `The server refused the only recipient after DATA with ${code}, ${what}. The email was not delivered.`;
  const facts = { code: 'EMESSAGE', command: 'DATA', responseCode: code };
  return { verdict, error: Object.assign(new Error(message), facts) };
}

function prematureReply(): Error {
  const message =
    'The server accepted an email whose end it had not received (its replies are out of step). The ' +
    'final dot was withheld: not sent. Try again.';
  return Object.assign(new Error(message), { code: 'EPROTOCOL' });
}
