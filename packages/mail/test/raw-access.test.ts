import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  attempt,
  email,
  majors,
  newJob,
  recordState,
  smtpServer,
  transporterTo,
} from './helpers.ts';

const folder = mkdtempSync(join(tmpdir(), 'sendonce-raw-'));
const path = join(folder, 'raw.eml');
writeFileSync(path, 'Subject: from a file\r\n\r\nContent of the local file.\r\n');
afterAll(() => rmSync(folder, { recursive: true }));

const raw = { raw: { path } };

// nodemailer 6 to 8 do not apply the flags to a raw message.
describe.each(majors)('nodemailer %i', (major) => {
  it.for(['options of the transport', 'email'])(
    'a raw message is not read from a file where the %s disables that',
    async (place, test) => {
      const smtp = await smtpServer(test);
      const flag = { disableFileAccess: true };
      const inOptions = place !== 'email';
      const transporter = transporterTo(test, smtp, {
        major,
        ...(inOptions && { transport: flag }),
      });
      const job = newJob();
      const mail = email({ ...raw, ...(!inOptions && flag) });
      const { state, error } = await attempt(job, () => transporter.sendMail(mail));
      expect(state).toBe('threw');
      expect(error).toMatchObject({ message: expect.stringContaining('File access rejected') });
      expect(await recordState(job)).toBe('absent');
      await expect(transporter.sendMail(mail)).rejects.toThrow('File access rejected');
      expect(smtp.received).toEqual([]);
    },
  );

  it('a raw message is read from a file where nothing disables that', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const { state } = await attempt(newJob(), () => transporter.sendMail(email(raw)));
    expect([state, smtp.received.length]).toEqual(['sent', 1]);
  });
});
