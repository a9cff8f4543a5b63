import { createTransport } from 'nodemailer';
import type Mail6 from 'types-nodemailer6/lib/mailer/index.js';
import type Mail8 from 'types-nodemailer8/lib/mailer/index.js';
import { describe, expect, it } from 'vitest';
import { dispatchAtSend } from '../src/index.ts';

describe("the plugin's type", () => {
  it('fits nodemailer 10 and @types/nodemailer 6 and 8', () => {
    const plugin = dispatchAtSend();
    createTransport({ jsonTransport: true }).use('stream', plugin);
    createTransport({ pool: true }).use('stream', plugin);
    const use6 = (mail: Mail6) => mail.use('stream', plugin);
    const use8 = (mail: Mail8) => mail.use('stream', plugin);
    expect([use6, use8]).toHaveLength(2);
  });
});
