import { isSendonceError } from '@sendonce/bullmq';
import { atSend, mailErrorNote } from '@sendonce/mail';
import { UnrecoverableError } from 'bullmq';
import { createTransport } from 'nodemailer';
import type { Email } from './compose.ts';
import type { Config } from './config.ts';

/** Sends one email over SMTP and answers with its Message-ID. */
export function sender({ smtpUrl, from }: Config) {
  const transporter = createTransport(smtpUrl);
  return {
    dispatch: atSend(transporter),
    async send(email: Email): Promise<{ messageId: string }> {
      try {
        const { messageId } = await transporter.sendMail({ from, ...email });
        return { messageId };
      } catch (error) {
        throw isSendonceError(error) ? error : withoutText(error);
      }
    },
    close: () => transporter.close(),
  };
}

/**
 * The same failure without the server's reply, which names the recipient: BullMQ keeps messages and
 * stacks in Redis. What it means for the email was reported by the plugin before.
 */
function withoutText(error: unknown): Error {
  const note = mailErrorNote(error);
  const message = `The mail server did not accept the notice (${note}).`;
  const { code } = (error ?? {}) as { code?: unknown };
  // The address does not exist, so the next attempt would fail in the same way.
  const isPermanent = code === 'EENVELOPE' && note.startsWith('5');
  return isPermanent ? new UnrecoverableError(message) : new Error(message);
}
