import { type Claim, type Effect, NotSentError, type Verdict } from '@sendonce/core';
import { classifyMailError, classifyReply, mailErrorNote } from './classify-mail-error.ts';
import { gateStream } from './gated-stream.ts';
import { MailTransportError } from './mail-transport-error.ts';
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

/** A message whose effect has begun. */
interface BegunSend extends SendUnderClaim {
  readonly effect: Effect;
  readonly callback: SendCallback;
}

/**
 * @internal Sends one message as the one email of its claim: begins the effect, dispatches at the
 * last instant, reports the outcome, and only then calls back.
 */
export function sendUnderClaim(options: SendUnderClaim, callback: SendCallback): void {
  let effect: Effect;
  try {
    effect = options.claim.begin();
  } catch (error) {
    callback(error as Error);
    return;
  }
  const begun = { ...options, effect, callback };
  if (options.smtp) sendBySmtp(begun);
  else void sendByOther(begun);
}

function sendBySmtp(begun: BegunSend): void {
  const { message, effect } = begun;
  let dispatching: Promise<void> | undefined;
  /** Why the ledger forbade the email. */
  let forbidden: unknown;
  let dotMayFollow = false;
  let isOver = false;

  const dotAllowed = async (): Promise<boolean> => {
    // nodemailer 6 to 9 drain the stream after a refused envelope.
    if (isOver) return false;
    dispatching = effect.dispatch();
    try {
      await dispatching;
    } catch (error) {
      forbidden = error;
    }
    // Failed during the dispatch, and so "not sent": by a reply out of turn, a timeout, an abort.
    // An error now would be a second one, which pools of 6 to 9 throw out of the event loop.
    if (isOver) return false;
    // A stand-in goes through the stream: nodemailer writes its own code over that of the error.
    if (forbidden) throw new NotSentError('The email was not dispatched. It was not sent.');
    dotMayFollow = true;
    return true;
  };

  // Here and not in the plugin, so that no other plugin can come between this stream and the
  // network.
  const original = message.createReadStream.bind(message);
  message.createReadStream = (...args) => gateStream(original(...args), dotAllowed);

  handOver(begun, (error, info) => {
    if (isOver) return;
    isOver = true;
    const phase = dotMayFollow ? 'after-dot' : 'before-dot';
    const finish = () => {
      const failure = forbidden ?? error ?? (dotMayFollow ? undefined : prematureReply());
      if (failure) fail(begun, failure, classifyMailError(failure, phase));
      else succeed(begun, info);
    };
    if (dispatching && !dotMayFollow) void whenSettled(dispatching, finish);
    else finish();
  });
}

/**
 * A transport that is not known to send while it reads gets the message after the dispatch only.
 */
async function sendByOther(begun: BegunSend): Promise<void> {
  try {
    await begun.effect.dispatch();
  } catch (error) {
    begun.callback(error as Error);
    return;
  }
  let isOver = false;
  handOver(begun, (error, info) => {
    if (isOver) return;
    isOver = true;
    if (error) fail(begun, error, classifyMailError(error));
    else succeed(begun, info);
  });
}

async function whenSettled(promise: Promise<unknown>, run: () => void): Promise<void> {
  await promise.catch(() => {});
  run();
}

function handOver({ send }: BegunSend, finish: SendCallback): void {
  let wasCalled = false;
  try {
    send((error, info) => {
      wasCalled = true;
      finish(error, info);
    });
  } catch (error) {
    // Thrown by the user's own callback.
    if (wasCalled) throw error;
    finish(error instanceof Error ? error : transportThrew(error));
  }
}

function fail({ messageId, effect, callback }: BegunSend, error: unknown, verdict: Verdict): void {
  const id = messageId !== undefined && { messageId };
  effect.report({ verdict, error, note: mailErrorNote(error), ...id });
  callback(error as Error);
}

function succeed(begun: BegunSend, info: SentInfo | undefined): void {
  const refusal = findRefusal(info);
  if (refusal) {
    fail(begun, refusal.error, refusal.verdict);
    return;
  }
  // Other transports may have an id of the provider.
  const given = begun.smtp ? undefined : info?.messageId;
  const messageId = typeof given === 'string' ? given : begun.messageId;
  begun.effect.report({ verdict: 'sent', ...(messageId !== undefined && { messageId }) });
  begun.callback(null, info);
}

/**
 * LMTP answers each recipient after the dot, and nodemailer resolves though the only one was
 * refused. 10.x says why in `rejectedErrors`, 6 to 9 only in the reply.
 */
function findRefusal(info: SentInfo | undefined): { error: Error; verdict: Verdict } | undefined {
  if (!Array.isArray(info?.accepted) || info.accepted.length > 0) return undefined;
  if (!Array.isArray(info.rejected) || info.rejected.length === 0) return undefined;
  const code = Number(
    info.rejectedErrors?.[0]?.responseCode ?? /^\d{3}(?=[ -])/.exec(String(info.response))?.[0],
  );
  const verdict = classifyReply(code);
  // A 2xx reply beside a refused recipient contradicts itself.
  if (verdict === 'sent' || verdict === 'unknown') {
    const message =
      "The server's reply for the only recipient cannot be read. The email may have left: look into " +
      "the server's log, then resolve the doubt.";
    return { verdict: 'unknown', error: new MailTransportError('maybe', message) };
  }
  const what = verdict === 'refused' ? 'for now; try again later' : 'for good; correct the cause';
  const message = `The server refused the only recipient after DATA with ${code}, ${what}. The email was not delivered.`;
  return { verdict, error: new MailTransportError('no', message, { responseCode: code }) };
}

function prematureReply(): Error {
  return new NotSentError(
    'The server accepted an email whose end it had not received (its replies are out of step). The ' +
      'final dot was withheld: not sent. Try again.',
  );
}

function transportThrew(cause: unknown): Error {
  return new MailTransportError(
    'maybe',
    'The transport threw something that is not an error, see "cause". Whether the email was sent depends ' +
      'on the transport.',
    { cause },
  );
}
