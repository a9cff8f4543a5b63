import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, memoryLedger, perform } from '@sendonce/core';
import { startSmtpServer } from '@sendonce/testkit';
import { createTransport } from 'nodemailer';
import { afterAll, expect, test } from 'vitest';
import { atSend } from '../src/index.ts';

const smtp = await startSmtpServer();
afterAll(() => smtp.close());

/** An attachment that takes its time, so that the final dot comes late. */
async function* slowText() {
  yield 'The first half. ';
  await sleep(400);
  yield 'The second half.';
}

test.each([
  ['one connection for each email', {}],
  ['a pool', { pool: true as const }],
])(
  'an email whose time ends in the middle of its message gets no final dot: %s',
  async (_name, pooled) => {
    const transporter = createTransport({ host: smtp.host, port: smtp.port, ...pooled });
    const dispatch = atSend(transporter);
    const ledger = memoryLedger();
    const before = smtp.received.length;
    const send = async (order: number, forMs: number) =>
      perform(
        async () =>
          transporter.sendMail({
            from: 'shop@example.org',
            to: 'ada@example.org',
            text: 'Your parcel arrives tomorrow.',
            attachments: [{ filename: 'parcel.txt', content: Readable.from(slowText()) }],
          }),
        { ledger, dispatch, key: deriveKey(['parcel', order]), notAfterMs: Date.now() + forMs },
      );
    expect(await send(7, 200)).toEqual({ state: 'skipped', reason: 'not-after' });
    expect(smtp.received).toHaveLength(before);
    expect(await send(8, 60_000)).toMatchObject({ state: 'sent' });
    expect(smtp.received).toHaveLength(before + 1);
    transporter.close();
  },
);
