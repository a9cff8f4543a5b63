import type { Sent, Tools } from '../system.ts';

/** What the processor hands to its transporter. */
export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export type Send = (mail: Mail) => Promise<Sent>;

/**
 * Puts something around a transporter's `sendMail()`, as one puts it around one's own
 * `sendNotice()`.
 */
export function aroundSend(
  transporter: Tools['transporters']['at-send'],
  around: (send: Send) => Send,
): void {
  const sendMail = transporter.sendMail.bind(transporter);
  const send: Send = async (mail) => {
    const { messageId } = await sendMail(mail);
    return { messageId };
  };
  Object.assign(transporter, { sendMail: around(send) });
}
