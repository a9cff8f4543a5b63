import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers, type SmtpServer, startTcpProxy, type TcpProxy } from '@sendonce/testkit';
import { describe, expect, it, vi } from 'vitest';
import {
  attempt,
  email,
  majors,
  newJob,
  recordState,
  smtpServer,
  transporterTo,
} from './helpers.ts';

const kills = 1000;
const lanes = 20;
vi.setConfig({ maxConcurrency: lanes, testTimeout: 60_000 });

const seed = Number(process.env['SENDONCE_SEED'] ?? randomInt(2 ** 31));

interface Counts {
  struck: number;
  released: number;
  inDoubt: number;
  inDoubtAndDelivered: number;
}

interface Kill {
  readonly smtp: SmtpServer;
  readonly proxy: TcpProxy;
  readonly send: () => Promise<unknown>;
  readonly counts: Counts;
}

/** One email whose first connection dies at a byte, in a direction. */
async function killOne({ smtp, proxy, send, counts }: Kill, byte: number, toServer: boolean) {
  const job = newJob();
  // By Message-ID: an email whose sender was cut off may arrive while the next one is on its way.
  const id = Buffer.from(job.key, 'base64url').toString('hex');
  const arrived = () => smtp.received.filter(({ messageId }) => messageId.includes(id));
  const cut = proxy.killAtByte(byte, toServer ? 'to-server' : 'to-client');
  let struck = false;
  cut.struck.then(
    () => (struck = true),
    () => {},
  );
  const first = await attempt(job, send);
  await sleep(5);
  cut.cancel();
  // The conversation was shorter than the byte: nothing was tested.
  if (!struck) return;
  counts.struck++;

  if (first.state === 'threw') {
    counts.released++;
    expect(arrived(), 'an email that surely was not sent has arrived').toHaveLength(0);
  }
  const retry = await attempt(job, send);
  await sleep(2);
  if (first.state === 'in-doubt') {
    counts.inDoubt++;
    if (arrived().length === 1) counts.inDoubtAndDelivered++;
    expect(retry.state).toBe('in-doubt');
    expect(await recordState(job)).toBe('in-doubt');
    expect(arrived().length, 'sent twice').toBeLessThan(2);
  } else {
    expect(retry.state).toBe(first.state === 'sent' ? 'duplicate' : 'sent');
    expect(arrived(), 'sent twice, or lost in silence').toHaveLength(1);
    expect(arrived()[0]?.to).toContain('customer@customer.example');
  }
}

describe.concurrent(`connections that die at a random byte (SENDONCE_SEED=${seed})`, () => {
  const laneNumbers = Array.from({ length: lanes }, (_, index) => index);

  it.for(laneNumbers)(
    'never two emails, never one lost without a doubt: lane %i',
    async (lane, test) => {
      const random = randomNumbers(seed ^ Math.imul(lane + 1, 0x9e3779b1));
      const refused = 'archive@archive.example';
      const rejectRecipients = (address: string) => (address === refused ? 550 : undefined);
      const smtp = await smtpServer(test, { rejectRecipients });
      const proxy = await startTcpProxy({ host: smtp.host, port: smtp.port });
      test.onTestFinished(() => proxy.close());
      const major = majors[lane % majors.length] ?? 10;
      const transporter = transporterTo(test, proxy, { major });
      // Every second email has copies, and the server refuses one of them.
      const copies = { cc: 'sales@shop.example', bcc: refused };

      const counts: Counts = { struck: 0, released: 0, inDoubt: 0, inDoubtAndDelivered: 0 };
      for (let kill = 0; counts.struck < kills / lanes; kill++) {
        const hasCopies = kill % 2 === 1;
        const send = () => transporter.sendMail(email(hasCopies ? copies : {}));
        // A conversation has about 530 bytes to the server and 250 to the client, and with copies
        // 630 and 330.
        const toServer = random() < 0.5;
        const length = (toServer ? 560 : 280) + (hasCopies ? 100 : 0);
        const byte = 1 + Math.floor(random() * length);
        try {
          await killOne({ smtp, proxy, send, counts }, byte, toServer);
        } catch (error) {
          const where = `SENDONCE_SEED=${seed}, nodemailer ${major}, lane ${lane}, kill ${kill}: byte ${byte} to the ${toServer ? 'server' : 'client'}`;
          throw new Error(where, { cause: error });
        }
      }
      // Both sides of the dot were hit, or the numbers above are off.
      expect(counts.released).toBeGreaterThan(5);
      expect(counts.inDoubt).toBeGreaterThan(5);
      if (process.env['SENDONCE_VERBOSE']) console.log(lane, counts);
    },
  );
});
