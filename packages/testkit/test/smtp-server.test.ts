import { connect } from 'node:net';
import { createTransport } from 'nodemailer';
import { afterEach, expect, test } from 'vitest';
import {
  eventually,
  smtpFaults,
  startSmtpServer,
  type SmtpServer,
  type SmtpServerOptions,
} from '../src/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options?: SmtpServerOptions): Promise<SmtpServer> {
  const smtp = await startSmtpServer(options);
  cleanups.push(smtp.close);
  return smtp;
}

function transport(smtp: SmtpServer, more: object = {}) {
  const timeouts = { connectionTimeout: 400, greetingTimeout: 400, socketTimeout: 400 };
  const mailer = createTransport({ host: smtp.host, port: smtp.port, ...timeouts, ...more });
  cleanups.push(() => mailer.close());
  return mailer;
}

const letter = { from: 'a@x.test', to: 'b@y.test', subject: 'hello', text: 'one\n.two\n..three\n' };

test('an email arrives whole, with its dots and its headers', async () => {
  const smtp = await start();
  const info = await transport(smtp).sendMail(letter);
  const [email] = smtp.received;
  expect(email).toMatchObject({ from: 'a@x.test', to: ['b@y.test'], messageId: info.messageId });
  expect(email?.headers['subject']).toBe('hello');
  expect(email?.date).not.toBe('');
  expect(email?.raw).toContain('one\r\n.two\r\n..three');
  await eventually(() => expect(email?.acknowledged).toBe(true));
});

test.each(smtpFaults)('fault: $name', async ({ fault, accepted }) => {
  const smtp = await start();
  smtp.setFault(fault);
  await expect(transport(smtp).sendMail(letter)).rejects.toThrow();
  expect(smtp.received.map((email) => email.acknowledged)).toEqual(accepted ? [false] : []);
  // It strikes once: the next one passes.
  await transport(smtp).sendMail(letter);
  expect(smtp.received).toHaveLength(accepted ? 2 : 1);
});

test('a fault in the body strikes after the given byte, and not in a shorter body', async () => {
  const smtp = await start();
  smtp.setFault({ at: 'body', how: 'reset', afterBytes: 100_000, times: Infinity });
  await transport(smtp).sendMail(letter);
  await expect(
    transport(smtp).sendMail({ ...letter, text: 'x'.repeat(200_000) }),
  ).rejects.toThrow();
  expect(smtp.received).toHaveLength(1);
});

test('a plan chooses a fault per connection and message', async () => {
  const smtp = await start();
  smtp.setFault((connection, message) =>
    connection === 0 && message === 1 ? { at: 'data', how: '4xx' } : undefined,
  );
  const pool = transport(smtp, { pool: true, maxConnections: 1 });
  await pool.sendMail(letter);
  await expect(pool.sendMail(letter)).rejects.toThrow('451');
  await pool.sendMail(letter);
  expect(smtp.received).toHaveLength(2);
});

test('some recipients are refused and the others get the email', async () => {
  const smtp = await start({
    rejectRecipients: (address) => (address.startsWith('no') ? 550 : undefined),
  });
  const info = await transport(smtp).sendMail({ ...letter, to: ['b@y.test', 'no@y.test'] });
  expect(info.rejected).toEqual(['no@y.test']);
  expect(smtp.received[0]?.to).toEqual(['b@y.test']);
  await expect(transport(smtp).sendMail({ ...letter, to: 'no@y.test' })).rejects.toThrow('550');
});

test('the email is counted at the dot, also when its 250 is late or the client leaves', async () => {
  const smtp = await start({ ackDelayMs: 200 });
  const seen: string[] = [];
  smtp.onEmail((email) => seen.push(email.from));
  const sending = transport(smtp, { socketTimeout: 100 }).sendMail(letter);
  await expect(sending).rejects.toThrow();
  expect(seen).toEqual(['a@x.test']);
  expect(smtp.received[0]?.acknowledged).toBe(false);
});

test.each(['PLAIN', 'LOGIN'])('any password is accepted by AUTH %s', async (authMethod) => {
  const smtp = await start();
  await transport(smtp, { auth: { user: 'u', pass: 'p' }, authMethod }).sendMail(letter);
  expect(smtp.received).toHaveLength(1);
});

test('the order of replies holds when commands come in one segment or byte by byte', async () => {
  const smtp = await start();
  const words =
    'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n.\r\nRSET\r\nNOOP\r\nQUIT\r\n';
  for (const parts of [[words], words.split('')]) {
    const socket = connect(smtp.port, smtp.host);
    let text = '';
    socket.on('data', (chunk) => void (text += chunk.toString()));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (const part of parts) socket.write(part);
    await closed;
    const codes = text.match(/^\d{3}(?= )/gm);
    expect(codes).toEqual(['220', '250', '250', '250', '354', '250', '250', '250', '221']);
  }
  expect(smtp.received.map((email) => email.raw)).toEqual(['', '']);
});
