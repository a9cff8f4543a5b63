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
  /** Recorded with the outcome. Undefined for a raw message, whose Message-ID is unknown. */
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
 * @internal Sends a message as the one email of its claim: begins the effect, dispatches at the
 * last moment, reports the outcome, and then calls back.
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
  /** Why the ledger did not permit the dispatch. */
  let forbidden: unknown;
  let dotMayFollow = false;
  let isOver = false;

  const dotAllowed = async (): Promise<boolean> => {
    // nodemailer 6 to 9 read the stream to its end after a refused envelope.
    if (isOver) return false;
    dispatching = effect.dispatch();
    try {
      await dispatching;
    } catch (error) {
      forbidden = error;
    }
    // The send failed during the dispatch (a reply out of turn, a timeout, an abort): "not sent".
    // An error here would be a second one, which the pools of nodemailer 6 to 9 throw as uncaught.
    if (isOver) return false;
    // Another error goes through the stream, because nodemailer overwrites its code.
    if (forbidden) throw new NotSentError('The email was not dispatched and not sent.');
    dotMayFollow = true;
    return true;
  };

  // Wrapped here and not in the plugin, so that no other plugin can wrap this stream.
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

/** Dispatches before it hands the message to a transport that may send it at any time. */
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
    // The user's own callback threw.
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
  // Other transports may return an id of the provider.
  const given = begun.smtp ? undefined : info?.messageId;
  const messageId = typeof given === 'string' ? given : begun.messageId;
  begun.effect.report({ verdict: 'sent', ...(messageId !== undefined && { messageId }) });
  begun.callback(null, info);
}

/**
 * Finds the refusal of the only recipient. LMTP replies for each recipient after the dot, and
 * nodemailer resolves although the only recipient was refused. nodemailer 10 has the code in
 * `rejectedErrors`, 6 to 9 only in the reply.
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
      "The server's reply for the only recipient cannot be read. The email may have been sent: check " +
      "the server's log, then resolve the doubt.";
    return { verdict: 'unknown', error: new MailTransportError('maybe', message) };
  }
  const [how, then] =
    verdict === 'refused' ? ['temporarily', 'Retry later'] : ['permanently', 'Correct the cause'];
  const message = `The server refused the only recipient ${how} after DATA with ${code}. The email was not sent. ${then}.`;
  return { verdict, error: new MailTransportError('no', message, { responseCode: code }) };
}

function prematureReply(): Error {
  return new NotSentError(
    'The server accepted the email before it had received its end (the replies are out of step). The ' +
      'final dot was not written, so the email was not sent. Retry.',
  );
}

function transportThrew(cause: unknown): Error {
  return new MailTransportError(
    'maybe',
    'The transport threw a value that is not an error, see "cause". The email may have been sent: check what the ' +
      'transport did, then resolve the doubt.',
    { cause },
  );
}
