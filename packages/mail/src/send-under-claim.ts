import { type Claim, type Effect, NotSentError, type Verdict } from '@sendonce/core';
import { classifyMailError, mailErrorNote, type MailPhase } from './classify-mail-error.ts';
import { gateStream } from './gated-stream.ts';
import { MailTransportError } from './mail-transport-error.ts';
import { judgeAfterDot, judgeBeforeDot } from './refusals.ts';
import type { FixedEnvelope } from './recipients.ts';
import type { SendCallback, SentInfo, StreamPluginMessage } from './nodemailer-shapes.ts';

export interface SendUnderClaim {
  readonly claim: Claim;
  readonly message: StreamPluginMessage;
  /** The recipients, and what the server replies for them. */
  readonly envelope: FixedEnvelope;
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

/** Why an email was not sent, or may not have been. */
interface Failure {
  readonly verdict: Verdict;
  readonly error: unknown;
  /** @default the code of the error */
  readonly note?: string;
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
  const { message, effect, envelope } = begun;
  let dispatching: Promise<void> | undefined;
  /** Why the ledger did not permit the dispatch. */
  let forbidden: unknown;
  /** The server refused every To, and accepted a copy. */
  let withheld: ReturnType<typeof judgeBeforeDot>;
  let dotMayFollow = false;
  let isOver = false;

  const dotAllowed = async (): Promise<boolean> => {
    // nodemailer 6 to 9 read the stream to its end after a refused envelope.
    if (isOver) return false;
    withheld = judgeBeforeDot(envelope);
    if (withheld) throw new NotSentError('Every recipient in "to" was refused.');
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
      if (withheld) {
        fail(begun, withheld);
        return;
      }
      const failure = forbidden ?? error ?? (dotMayFollow ? undefined : prematureReply());
      if (!failure) succeed(begun, info);
      else fail(begun, classify(failure, phase, envelope));
    };
    if (dispatching && !dotMayFollow) void whenSettled(dispatching, finish);
    else finish();
  });
}

/**
 * If all recipients are refused, nodemailer fails before DATA. Of an email with copies, the replies
 * to the recipients in To decide then, as they do if a copy was accepted.
 */
function classify(error: unknown, phase: MailPhase, envelope: FixedEnvelope): Failure {
  const { code, command } = error as { readonly code?: unknown; readonly command?: unknown };
  const isRefused = phase === 'before-dot' && code === 'EENVELOPE' && command === 'RCPT TO';
  const judgement = isRefused && envelope.recipients.size > 1 && judgeBeforeDot(envelope);
  if (!judgement) return { error, verdict: classifyMailError(error, phase) };
  return { error, verdict: judgement.verdict, note: mailErrorNote(judgement.error) };
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
    if (error) fail(begun, { error, verdict: classifyMailError(error) });
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

function fail(
  { messageId, effect, callback }: BegunSend,
  { verdict, error, note = mailErrorNote(error) }: Failure,
): void {
  const id = messageId !== undefined && { messageId };
  effect.report({ verdict, error, note, ...id });
  callback(error as Error);
}

function succeed(begun: BegunSend, info: SentInfo | undefined): void {
  const { recipients, replies } = begun.envelope;
  const judgement = judgeAfterDot(recipients, replies() ?? info, info?.response);
  if (judgement.verdict !== 'sent') {
    fail(begun, judgement);
    return;
  }
  // Other transports may return an id of the provider.
  const given = begun.smtp ? undefined : info?.messageId;
  const messageId = typeof given === 'string' ? given : begun.messageId;
  begun.effect.report({
    verdict: 'sent',
    ...(messageId !== undefined && { messageId }),
    ...(judgement.refused && { refused: judgement.refused }),
  });
  begun.callback(null, info);
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
