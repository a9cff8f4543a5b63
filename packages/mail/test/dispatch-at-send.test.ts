import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSendonceError, type Ledger, NotSentError } from '@sendonce/core';
import { createTransport, type SentMessageInfo, type Transport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { dispatchAtSend, MailTransportError } from '../src/index.ts';
import {
  attempt,
  codeOf,
  email,
  type Job,
  majors,
  newJob,
  recordState,
  smtpServer,
  type Test,
  transporterTo,
} from './helpers.ts';

describe('one claim covers one email', () => {
  it('a second email is refused, and the first is recorded as sent', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    const job = newJob();
    const ended = await attempt(job, async () => {
      await transporter.sendMail(email());
      await transporter.sendMail(email({ subject: 'another' }));
    });
    expect(codeOf(ended.error)).toBe('SENDONCE_SECOND_EMAIL');
    expect(await recordState(job)).toBe('sent');
    expect(smtp.received).toHaveLength(1);
  });

  it('a retry inside the processor is allowed after a refusal', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    for (const at of ['rcpt', 'dot-before-accept'] as const) {
      const job = newJob();
      smtp.received.length = 0;
      smtp.setFault({ at, how: '4xx' });
      const ended = await attempt(job, async () => {
        await transporter.sendMail(email()).catch(() => transporter.sendMail(email()));
      });
      expect(ended.state).toBe('sent');
      expect(smtp.received).toHaveLength(1);
    }
  });

  it('a retry inside the processor is refused after a doubt', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    const job = newJob();
    smtp.setFault({ at: 'dot-after-accept', how: 'close' });
    const ended = await attempt(job, async () => {
      await transporter.sendMail(email()).catch(() => transporter.sendMail(email()));
    });
    expect(ended.state).toBe('in-doubt');
    expect(codeOf(ended.error)).toBe('SENDONCE_SECOND_EMAIL');
    expect(smtp.received).toHaveLength(1);
  });

  it('an email that fails and is forgotten by the processor is not recorded as sent', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    const job = newJob();
    smtp.setFault({ at: 'rcpt', how: '5xx' });
    const ended = await attempt(job, () => transporter.sendMail(email()).catch(() => 'ignored'));
    expect(ended.state).toBe('threw');
    expect(await recordState(job)).toBe('absent');
  });
});

describe.for(majors)('the claim and the connection, with nodemailer %i', (major) => {
  it('the server discards the email of a claim that was lost', async (test) => {
    const smtp = await smtpServer(test);
    for (const pool of [false, true]) {
      const transporter = transporterTo(test, smtp, { major, pool });
      const job = newJob();
      const ended = await attempt(job, async () => {
        await job.ledger.cancel({ key: job.key, retentionMs: 60_000 });
        try {
          return await transporter.sendMail(email());
        } catch (error) {
          expect(codeOf(error)).toBe('SENDONCE_CLAIM_LOST');
          throw error;
        }
      });
      expect(ended.state).toBe('cancelled');
      await sleep(30);
      expect(smtp.received).toHaveLength(0);
    }
  });

  it('the dispatch comes after the whole body, and nothing arrives before it', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const job = newJob();
    let read = 0;
    const content = Readable.from(
      (function* () {
        for (; read < 40; read++) yield randomBytes(65_536);
      })(),
      { objectMode: false },
    );
    const atDispatch: { read: number; received: number }[] = [];
    const watched: Ledger = {
      ...job.ledger,
      dispatch: async (request) => {
        await sleep(50);
        atDispatch.push({ read, received: smtp.received.length });
        return job.ledger.dispatch(request);
      },
    };
    const attachments = [{ filename: 'scan.bin', content }];
    const send = () => transporter.sendMail(email({ attachments }));
    const ended = await attempt({ ...job, ledger: watched }, send);
    expect(ended.state).toBe('sent');
    expect(atDispatch).toEqual([{ read: 40, received: 0 }]);
    expect(smtp.received[0]?.raw.length).toBeGreaterThan(40 * 65_536 * 1.33);
  });

  it('a reply that comes during the dispatch withholds the final dot', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const job = newJob();
    smtp.setFault({ at: 'body', how: '4xx' });
    const send = () => transporter.sendMail(email());
    const ended = await attempt(slowly(job), send);
    expect(ended.state).toBe('threw');
    expect(await recordState(job)).toBe('absent');
    expect((await attempt(job, send)).state).toBe('sent');
    expect(smtp.received).toHaveLength(1);
  });

  it('a refusal without its line end is in doubt, and the record has the Message-ID', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    for (const text of ['451', '451 4.3.0 busy', '552-5.2.2 full\r\n552']) {
      const job = newJob();
      smtp.received.length = 0;
      smtp.setFault({ at: 'dot-after-accept', how: 'half-reply', text });
      const ended = await attempt(job, () => transporter.sendMail(email()));
      expect(ended.state).toBe('in-doubt');
      expect(smtp.received).toHaveLength(1);
      const record = await job.ledger.read(job.key);
      expect(record?.messageId).toBe(smtp.received[0]?.messageId);
      expect(record?.note).toBe('ECONNECTION');
    }
  });

  it('a 250 before the dot is no success', async (test) => {
    const lines: string[] = [];
    const port = await hastyServer(test, lines);
    const transporter = transporterTo(test, { host: '127.0.0.1', port }, { major });
    const job = newJob();
    const ended = await attempt(job, () => transporter.sendMail(email({ text: slowText() })));
    expect(codeOf(ended.error)).toBe('SENDONCE_NOT_SENT');
    expect(await recordState(job)).toBe('absent');
    await sleep(150);
    expect(lines).toContain('first');
    expect(lines).not.toContain('.');
  });

  it('a refusal in the middle of the body withholds the final dot, also from a pool that keeps the connection', async (test) => {
    for (const pool of [false, true]) {
      const lines: string[] = [];
      const port = await scriptedServer(test, (line) => {
        lines.push(line);
        if (line === 'DATA') return '354 go on\r\n451 4.3.0 not now';
        return /^(EHLO|MAIL|RCPT|RSET|QUIT)/.test(line) ? '250 ok' : '';
      });
      const transporter = transporterTo(test, { host: '127.0.0.1', port }, { major, pool });
      const job = newJob();
      const ended = await attempt(slowly(job), () => transporter.sendMail(email()));
      expect(ended.state).toBe('threw');
      expect(await recordState(job)).toBe('absent');
      await sleep(100);
      expect(lines).toContain('DATA');
      expect(lines).not.toContain('.');
    }
  });

  it('an attachment that fails sends nothing', async (test) => {
    const smtp = await smtpServer(test);
    for (const pool of [false, true]) {
      const transporter = transporterTo(test, smtp, { major, pool });
      const job = newJob();
      const attachments = [{ filename: 'a.pdf', path: '/nowhere/a.pdf' }];
      const ended = await attempt(job, () => transporter.sendMail(email({ attachments })));
      expect(ended.state).toBe('threw');
      expect(await recordState(job)).toBe('absent');
    }
    await sleep(30);
    expect(smtp.received).toHaveLength(0);
  });

  it('parallel jobs on one pooled transporter keep their own claims', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major, pool: true });
    const jobs = Array.from({ length: 20 }, newJob);
    smtp.setFault((_connection, message) =>
      message % 2 === 1 ? { at: 'dot-before-accept', how: '5xx' } : undefined,
    );
    const ended = await Promise.all(
      jobs.map((job) => attempt(job, () => transporter.sendMail(email()))),
    );
    for (const [index, job] of jobs.entries()) {
      const id = Buffer.from(job.key, 'base64url').toString('hex');
      const arrived = smtp.received.filter(({ messageId }) => messageId.includes(id)).length;
      expect(ended[index]?.state).toBe(arrived === 1 ? 'sent' : 'rejected');
      expect(await recordState(job)).toBe(ended[index]?.state);
    }
    const sent = smtp.received.length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(20);
  });

  it('the claim waits for a send that is not awaited', async (test) => {
    const smtp = await smtpServer(test, { ackDelayMs: 50 });
    const transporter = transporterTo(test, smtp, { major });
    const job = newJob();
    const ended = await attempt(job, () => {
      void transporter.sendMail(email());
    });
    expect(ended.state).toBe('sent');
    expect((await job.ledger.read(job.key))?.messageId).toContain('@shop.example');
    expect(smtp.received.map(({ acknowledged }) => acknowledged)).toEqual([true]);
  });

  it('LMTP: a recipient that is refused after DATA is no success', async (test) => {
    const replies = {
      '552 5.2.2 full': 'rejected',
      '452 4.2.2 busy': 'threw',
      nonsense: 'in-doubt',
    };
    for (const [reply, state] of Object.entries(replies)) {
      const port = await lmtpServer(test, reply);
      const transport = { lmtp: true };
      const transporter = transporterTo(test, { host: '127.0.0.1', port }, { major, transport });
      const job = newJob();
      const ended = await attempt(job, () => transporter.sendMail(email()));
      expect(ended.state).toBe(state);
      expect(String(ended.error)).not.toContain('customer');
      if (reply === 'nonsense') continue;
      const responseCode = Number.parseInt(reply, 10);
      const { error } = ended;
      expect(isSendonceError(error, 'SENDONCE_PROVIDER')).toBe(true);
      expect(error).toMatchObject({ name: 'MailTransportError', mayHaveLeft: 'no', responseCode });
      const record = await job.ledger.read(job.key);
      expect(record?.note).toBe(state === 'rejected' ? String(responseCode) : undefined);
    }
  });
});

describe('outside of a claim', () => {
  it('an email passes untouched by default', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    await transporter.sendMail(email({ to: ['a@customer.example', 'b@customer.example'] }));
    expect(smtp.received[0]?.messageId).toMatch(/^<[\da-f]{8}-[\da-f]{4}-/);
  });

  it("an email is refused with outsideClaim: 'refuse'", async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { outsideClaim: 'refuse' });
    const error = await transporter.sendMail(email()).catch((caught: unknown) => caught);
    expect(codeOf(error)).toBe('SENDONCE_NOT_SENT');
    expect((await attempt(newJob(), () => transporter.sendMail(email()))).state).toBe('sent');
    expect(smtp.received).toHaveLength(1);
  });

  it('a transporter that sent inside of a claim still sends outside', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    transporter.use('stream', dispatchAtSend());
    expect((await attempt(newJob(), () => transporter.sendMail(email()))).state).toBe('sent');
    await transporter.sendMail(email());
    expect(smtp.received).toHaveLength(2);
  });

  it('wrong options are refused where they are given', () => {
    expect(() => dispatchAtSend({ outsideClaim: 'maybe' as 'pass' })).toThrow(/"outsideClaim"/);
    expect(() => dispatchAtSend({ messageIdDomain: 'a b' })).toThrow(/"messageIdDomain"/);
  });
});

describe("a transport that is not nodemailer's SMTP gets the message after the dispatch", () => {
  type Send = Transport['send'];
  function custom(send: Send) {
    const transport: Transport = { name: 'custom', version: '1', send };
    const transporter = createTransport(transport);
    transporter.use('stream', dispatchAtSend());
    return transporter;
  }
  const info = { messageId: '<1@custom>' } as SentMessageInfo;

  it('one that posts mail.data and never reads the stream', async () => {
    const job = newJob();
    const states: string[] = [];
    const post = async (callback: (error: null, result: SentMessageInfo) => void) => {
      states.push(await recordState(job));
      callback(null, info);
    };
    const transporter = custom((_mail, callback) => void post(callback));
    const events: string[] = [];
    const onEvent = ({ type }: { type: string }) => void events.push(type);
    const ended = await attempt(job, () => transporter.sendMail(email()), { onEvent });
    expect(ended.state).toBe('sent');
    expect(states).toEqual(['dispatched']);
    expect(events).not.toContain('undispatched');
  });

  it('one that fails leaves a doubt, unless it says that nothing was sent', async () => {
    const errors = [
      [Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }), 'in-doubt'],
      [new NotSentError('The request was not made.'), 'threw'],
    ] as const;
    for (const [error, state] of errors) {
      const transporter = custom((_mail, callback) => callback(error));
      const ended = await attempt(newJob(), () => transporter.sendMail(email()));
      expect(ended.state).toBe(state);
    }
  });

  it('one that throws at once fails the send and not the process', async () => {
    const transporter = custom(() => {
      throw new TypeError('a bug');
    });
    const ended = await attempt(newJob(), () => transporter.sendMail(email()));
    expect(ended.state).toBe('in-doubt');
    expect(ended.error).toBeInstanceOf(TypeError);
  });

  it('one that throws what is no error fails the send with one, whose cause it is', async () => {
    const transporter = custom(() => {
      // oxlint-disable-next-line typescript/only-throw-error
      throw 'a text';
    });
    const { state, error } = await attempt(newJob(), () => transporter.sendMail(email()));
    expect(state).toBe('in-doubt');
    expect(error).toBeInstanceOf(MailTransportError);
    expect(error).toMatchObject({ mayHaveLeft: 'maybe', cause: 'a text' });
  });

  it('one that is never reached when the claim is lost', async () => {
    const job = newJob();
    let calls = 0;
    const transporter = custom((_mail, callback) => {
      calls++;
      callback(null, info);
    });
    const ended = await attempt(job, async () => {
      await job.ledger.cancel({ key: job.key, retentionMs: 60_000 });
      return transporter.sendMail(email());
    });
    expect(ended.state).toBe('cancelled');
    expect(calls).toBe(0);
  });

  it.for(majors)('the JSON and stream transports of nodemailer %i', async (major, test) => {
    for (const transport of [{ jsonTransport: true }, { streamTransport: true, buffer: true }]) {
      const nowhere = { host: '127.0.0.1', port: 1 };
      const transporter = transporterTo(test, nowhere, { major, transport });
      const ended = await attempt(newJob(), () => transporter.sendMail(email()));
      expect(ended.state).toBe('sent');
    }
  });
});

describe('an abort', () => {
  it('before the dot gives the claim back, after it leaves a doubt', async (test) => {
    const smtp = await smtpServer(test, { ackDelayMs: 200 });
    const transporter = transporterTo(test, smtp);
    const early = new AbortController();
    const job = newJob();
    const first = await attempt(job, async () => {
      const sending = transporter.sendMail(email({ signal: early.signal, text: slowText() }));
      setTimeout(() => early.abort(), 60);
      return sending;
    });
    expect(first.state).toBe('threw');
    await sleep(200);
    expect(smtp.received).toHaveLength(0);

    const late = new AbortController();
    smtp.onEmail(() => late.abort());
    const second = await attempt(job, () => transporter.sendMail(email({ signal: late.signal })));
    expect(second.state).toBe('in-doubt');
    expect(smtp.received).toHaveLength(1);
  });
});

/** The same job, with a dispatch that takes 300 ms. */
function slowly(job: Job): Job {
  const dispatch: Ledger['dispatch'] = async (request) => {
    await sleep(300);
    return job.ledger.dispatch(request);
  };
  return { ...job, ledger: { ...job.ledger, dispatch } };
}

/** 100 ms between the first and the last line. */
function slowText(): Readable {
  return Readable.from(
    (async function* () {
      yield 'first\n';
      await sleep(100);
      yield 'last\n';
    })(),
    { objectMode: false },
  );
}

/** Says 250 for a body as soon as it begins. */
function hastyServer(test: Test, lines: string[]): Promise<number> {
  return scriptedServer(test, (line) => {
    lines.push(line);
    if (line === 'DATA') return '354 go on\r\n250 thanks';
    return /^(EHLO|MAIL|RCPT|QUIT)/.test(line) ? '250 ok' : '';
  });
}

/** Answers the recipient after DATA with the given reply. */
function lmtpServer(test: Test, reply: string): Promise<number> {
  return scriptedServer(test, (line) => {
    if (line === 'DATA') return '354 go on';
    if (line === '.') return reply;
    return /^(LHLO|MAIL|RCPT|QUIT)/.test(line) ? '250 ok' : '';
  });
}

/** A server for what the testkit's honest one does not do: one line in, one reply out. */
async function scriptedServer(test: Test, replyTo: (line: string) => string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('220 ready\r\n');
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const reply = replyTo(line);
        if (reply) socket.write(`${reply}\r\n`);
      }
    });
  });
  test.onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}
