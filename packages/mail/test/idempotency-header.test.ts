import { describe, expect, it } from 'vitest';
import { dispatchAtSend } from '../src/index.ts';
import {
  attempt,
  email,
  majors,
  newJob,
  recordState,
  smtpServer,
  transporterTo,
} from './helpers.ts';

const idempotencyHeader = 'Resend-Idempotency-Key';

describe.each(majors)('nodemailer %i', (major) => {
  it('the email carries the key of its claim, the same on each attempt', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major, idempotencyHeader });
    const job = newJob();
    const send = () => transporter.sendMail(email());
    smtp.setFault({ at: 'dot-after-accept', how: 'close' });
    const options = { emailDateMs: 1_800_000_000_000, replayWithinMs: 60_000 };
    expect((await attempt(job, send, options)).state).toBe('in-doubt');
    smtp.setFault(undefined);
    expect((await attempt(job, send, options)).state).toBe('sent');
    // This server knows no keys: both arrive, to the letter the same, for a provider that does.
    const [first, second] = smtp.received.map(({ raw }) => raw);
    expect(first).toContain(`${idempotencyHeader}: ${job.key}`);
    expect(second).toBe(first);
  });

  it('outside of a claim there is no such header', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major, idempotencyHeader });
    await transporter.sendMail(email());
    expect(smtp.received[0]?.raw).not.toContain(idempotencyHeader);
  });

  it('a raw message is refused, and not sent without it', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major, idempotencyHeader });
    const job = newJob();
    const raw = 'From: shop@shop.example\r\nTo: customer@customer.example\r\n\r\nHello.';
    const envelope = { from: 'shop@shop.example', to: 'customer@customer.example' };
    const ended = await attempt(job, () => transporter.sendMail({ raw, envelope }));
    expect(ended).toMatchObject({ state: 'threw', error: { code: 'SENDONCE_NOT_SENT' } });
    expect(await recordState(job)).toBe('absent');
    expect(smtp.received).toEqual([]);
  });
});

it.each(['', 'a b', 'X:', 'X\r\nBcc', 7])('%j is no name of a header', (name) => {
  expect(() => dispatchAtSend({ idempotencyHeader: name as string })).toThrow(
    expect.objectContaining({ option: 'idempotencyHeader' }),
  );
});
