import type { PerformEvent } from '@sendonce/core';
import {
  createTransport,
  type SentMessageInfo,
  type Transport,
  type Transporter,
} from 'nodemailer';
import { describe, expect, it, vi } from 'vitest';
import { atSend } from '../src/index.ts';
import {
  attempt,
  codeOf,
  email,
  type Job,
  majors,
  newJob,
  recordState,
  smtpServer,
  transporterTo,
} from './helpers.ts';

vi.setConfig({ maxConcurrency: 20 });

const to = 'customer@customer.example';
const cc = 'sales@shop.example';
const bcc = 'archive@archive.example';
const copies = { cc, bcc };

type Reply = number | undefined;
const replies: Reply[] = [undefined, 450, 550];
const subsets = replies.flatMap((first) =>
  replies.flatMap((second) => replies.map((third) => [first, second, third] as const)),
);

/** By hand, from the rule: one accepted To is enough, and without one no copy leaves. */
function expected([first, second, third]: readonly Reply[]) {
  if (first === 450) return { state: 'threw', record: 'absent', note: undefined, received: [] };
  if (first === 550) return { state: 'rejected', record: 'rejected', note: '550', received: [] };
  const refused = [second && `cc ${second}`, third && `bcc ${third}`].filter(Boolean).join(', ');
  const received = [to, ...(second ? [] : [cc]), ...(third ? [] : [bcc])];
  const note = refused ? `refused: ${refused}` : undefined;
  return { state: 'sent', record: 'sent', note, received };
}

async function sendTo(job: Job, send: () => Promise<unknown>) {
  const events: PerformEvent[] = [];
  const ended = await attempt(job, send, { onEvent: (event) => void events.push(event) });
  return { ended, events, record: await job.ledger.read(job.key) };
}

describe.concurrent('To, Cc and Bcc of one message are one email', () => {
  const transports = majors.flatMap((major) =>
    [false, true].flatMap((pool) =>
      [true, false].map((pipelining) => ({ major, pool, pipelining })),
    ),
  );

  it.for(transports)(
    'nodemailer $major, pool $pool, pipelining $pipelining: every subset of refused recipients',
    async ({ major, pool, pipelining }, test) => {
      const codes = new Map<string, Reply>();
      const rejectRecipients = (address: string) => codes.get(address);
      const smtp = await smtpServer(test, { pipelining, rejectRecipients });
      const transporter = transporterTo(test, smtp, { major, pool });
      for (const subset of subsets) {
        for (const [index, address] of [to, cc, bcc].entries()) codes.set(address, subset[index]);
        smtp.received.length = 0;
        const job = newJob();
        const { ended, events, record } = await sendTo(job, () =>
          transporter.sendMail(email(copies)),
        );
        const { state, note, received, ...wanted } = expected(subset);
        expect([subset, ended.state]).toEqual([subset, state]);
        expect(record?.state ?? 'absent').toBe(wanted.record);
        expect(record?.note).toBe(note);
        expect(smtp.received.map((one) => one.to)).toEqual(received.length > 0 ? [received] : []);
        const partly = events.filter(({ type }) => type === 'partly-refused');
        expect(partly.map((event) => event.note)).toEqual(
          note?.startsWith('refused') ? [note] : [],
        );
        const texts = [ended.error, note, events].map((one) => JSON.stringify(one) + String(one));
        if (!received.length && subset.includes(undefined)) {
          expect(codeOf(ended.error)).toBe('SENDONCE_PROVIDER');
          expect(texts.join(' ')).not.toMatch(/customer@|sales@|archive@/);
        }
        // The retry of an email that was not sent reaches everyone. No other retry does anything.
        codes.clear();
        const retry = await attempt(job, () => transporter.sendMail(email(copies)));
        expect(retry.state).toBe({ sent: 'duplicate', threw: 'sent', rejected: 'rejected' }[state]);
        expect(smtp.received).toHaveLength(state === 'rejected' ? 0 : 1);
      }
    },
  );

  it.for(majors)('nodemailer %i: 32 copies at once send one message', async (major, test) => {
    for (const pool of [false, true]) {
      const smtp = await smtpServer(test);
      const transporter = transporterTo(test, smtp, { major, pool });
      const job = newJob();
      const all = await Promise.all(
        Array.from({ length: 32 }, () => attempt(job, () => transporter.sendMail(email(copies)))),
      );
      expect(all.filter(({ state }) => state === 'sent')).toHaveLength(1);
      expect(smtp.received.map((one) => one.to)).toEqual([[to, cc, bcc]]);
      expect(smtp.received[0]?.headers).toMatchObject({ to, cc });
      expect(smtp.received[0]?.raw).not.toContain(bcc);
    }
  });

  it.for(majors)('nodemailer %i: one accepted To is enough', async (major, test) => {
    const refused = new Map([
      ['b@customer.example', 450],
      ['c@customer.example', 550],
      [bcc, 550],
    ]);
    const smtp = await smtpServer(test, { rejectRecipients: (address) => refused.get(address) });
    const transporter = transporterTo(test, smtp, { major });
    const job = newJob();
    const fields = { to: [to, 'b@customer.example', 'c@customer.example'], bcc };
    const { ended, record } = await sendTo(job, () => transporter.sendMail(email(fields)));
    expect(ended.state).toBe('sent');
    expect(record?.note).toBe('refused: to 450, to 550, bcc 550');

    refused.set(to, 550);
    const next = newJob();
    const all = await sendTo(next, () => transporter.sendMail(email(fields)));
    expect(all.ended.state).toBe('threw');
    expect(codeOf(all.ended.error)).toBe('EENVELOPE');
    expect(smtp.received).toHaveLength(1);
  });

  it.for(majors)('nodemailer %i: the same address gets one copy, as To', async (major, test) => {
    const refused = new Set<string>();
    const rejectRecipients = (address: string) => (refused.has(address) ? 550 : undefined);
    const smtp = await smtpServer(test, { rejectRecipients });
    const transporter = transporterTo(test, smtp, { major });
    const fields = { to: [to, to], cc: [cc, to], bcc: [to, bcc] };
    expect((await attempt(newJob(), () => transporter.sendMail(email(fields)))).state).toBe('sent');
    expect(smtp.received.map((one) => one.to)).toEqual([[to, cc, bcc]]);
    refused.add(to);
    const job = newJob();
    const ended = await attempt(job, () => transporter.sendMail(email(fields)));
    expect(ended.state).toBe('rejected');
    expect(smtp.received).toHaveLength(1);
  });

  it.for(majors)('nodemailer %i: a hundred recipients', async (major, test) => {
    const hundred = Array.from({ length: 98 }, (_, index) => `copy${index}@shop.example`);
    const rejectRecipients = (address: string) => (/^copy\d\d@/.test(address) ? 452 : undefined);
    const smtp = await smtpServer(test, { rejectRecipients });
    const transporter = transporterTo(test, smtp, { major });
    const job = newJob();
    const fields = { cc, bcc: hundred };
    const { ended, record } = await sendTo(job, () => transporter.sendMail(email(fields)));
    expect(ended.state).toBe('sent');
    expect(record?.note).toBe('refused: bcc 452 x88');
    expect(smtp.received.map((one) => one.to.length)).toEqual([12]);
  });

  it.for(majors)('nodemailer %i: the recipients of an own envelope', async (major, test) => {
    const refused = new Set<string>();
    const rejectRecipients = (address: string) => (refused.has(address) ? 550 : undefined);
    const smtp = await smtpServer(test, { rejectRecipients });
    const transporter = transporterTo(test, smtp, { major });
    const send = async (envelope: object, fields: object) => {
      const job = newJob();
      const mail = { ...email(fields), envelope: { from: 'bounce@shop.example', ...envelope } };
      return sendTo(job, () => transporter.sendMail(mail));
    };
    // A recipient that the message does not name is a copy, beside one that it names.
    refused.add(to);
    expect((await send({ to: [to, bcc] }, {})).ended.state).toBe('rejected');
    refused.clear();
    refused.add(bcc);
    expect((await send({ to: [to, bcc] }, {})).record?.note).toBe('refused: bcc 550');
    // If the message names none of them, all of them are To.
    expect((await send({ to: ['x@list.example', bcc] }, {})).record?.note).toBe('refused: to 550');
    expect(smtp.received).toHaveLength(2);
  });
});

describe.concurrent('replies for the recipients that come in another way', () => {
  it.for(majors)(
    'nodemailer %i: if they are not shown before the dot, an email that only copies get is in doubt',
    async (major, test) => {
      const refused = new Set([to]);
      const rejectRecipients = (address: string) => (refused.has(address) ? 550 : undefined);
      const smtp = await smtpServer(test, { rejectRecipients });
      const transporter = transporterTo(test, smtp, { major, plugin: false });
      hideReplies(transporter);
      const dispatch = atSend(transporter);
      const send = () => transporter.sendMail(email(copies));
      const [first, second] = [newJob(), newJob()];
      expect((await attempt(first, send, { dispatch })).state).toBe('in-doubt');
      expect((await first.ledger.read(first.key))?.note).toBe('refused: to 550');
      refused.delete(to);
      refused.add(cc);
      expect((await attempt(second, send, { dispatch })).state).toBe('sent');
      expect((await second.ledger.read(second.key))?.note).toBe('refused: cc 550');
    },
  );

  const infos = [
    { info: {}, state: 'sent', note: undefined },
    { info: { accepted: [to, cc, bcc], rejected: [] }, state: 'sent', note: undefined },
    {
      info: { accepted: [to], rejected: [cc, bcc], response: '250 ok' },
      state: 'sent',
      note: 'refused: cc without a code, bcc without a code',
    },
    { info: { accepted: [cc], rejected: [to, bcc] }, state: 'in-doubt', note: undefined },
    {
      info: { accepted: [], rejected: [to, cc, bcc], response: '552 full' },
      state: 'rejected',
      note: '552',
    },
    { info: { accepted: [], rejected: [to, cc, bcc] }, state: 'in-doubt', note: undefined },
  ];
  it.for(infos)(
    'a transport of your own that returns $info: $state',
    async ({ info, state, note }) => {
      const transport: Transport = {
        name: 'custom',
        version: '1',
        send: (_mail, callback) => callback(null, info as SentMessageInfo),
      };
      const transporter = createTransport(transport);
      const job = newJob();
      const ended = await attempt(job, () => transporter.sendMail(email(copies)), {
        dispatch: atSend(transporter),
      });
      expect(ended.state).toBe(state);
      if (note !== undefined || state === 'sent') {
        expect((await job.ledger.read(job.key))?.note).toBe(note);
      }
    },
  );
});

/** As a version of nodemailer that keeps the replies elsewhere. */
function hideReplies(transporter: Transporter): void {
  const transport = transporter.transporter as unknown as {
    send: (mail: object, callback: unknown) => unknown;
  };
  const send = transport.send.bind(transport);
  transport.send = (mail, callback) => {
    const { message } = mail as { message: { getEnvelope: () => object } };
    const hidden = Object.create(message, {
      getEnvelope: { value: () => ({ ...message.getEnvelope() }) },
    }) as object;
    return send(Object.create(mail, { message: { value: hidden } }) as object, callback);
  };
}

describe.concurrent('an email without a To', () => {
  const fields = [
    { to: undefined, bcc: [to, bcc] },
    { to: undefined, bcc },
    { to: undefined, cc },
    { to: undefined, cc, bcc },
    { to: 'undisclosed-recipients:;', bcc },
    { to: [] },
  ];
  it.for(fields)('is refused before it connects: %j', async (given, test) => {
    const smtp = await smtpServer(test);
    for (const major of majors) {
      const transporter = transporterTo(test, smtp, { major });
      for (const dispatch of ['at-send', 'before-processor'] as const) {
        const job = newJob();
        const ended = await attempt(job, () => transporter.sendMail(email(given)), { dispatch });
        expect(codeOf(ended.error)).toBe('SENDONCE_RECIPIENTS');
        expect(String(ended.error)).toContain('none of them in "to"');
        expect(await recordState(job)).toBe('absent');
      }
    }
    expect(smtp.connections).toBe(0);
  });
});

describe.concurrent("with recipients: 'one', an email has one recipient", () => {
  const several = [{ to: [to, cc] }, { cc }, { bcc }, { to: [] }];
  it.for(several)('an email to %j is refused', async (fields, test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { recipients: 'one' });
    for (const dispatch of ['at-send', 'before-processor'] as const) {
      const job = newJob();
      const ended = await attempt(job, () => transporter.sendMail(email(fields)), { dispatch });
      expect(codeOf(ended.error)).toBe('SENDONCE_RECIPIENTS');
      expect(await recordState(job)).toBe('absent');
    }
    expect(smtp.connections).toBe(0);
  });

  it.for(majors)('nodemailer %i: nor may a later plugin add one', async (major, test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major, recipients: 'one' });
    transporter.use('stream', ({ message }, callback) => {
      message.setHeader('Cc', cc);
      callback();
    });
    const job = newJob();
    const ended = await attempt(job, () => transporter.sendMail(email()));
    expect(codeOf(ended.error)).toBe('SENDONCE_RECIPIENTS');
    expect(await recordState(job)).toBe('absent');
    expect(smtp.connections).toBe(0);
  });

  it('one recipient in any field is accepted', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { recipients: 'one' });
    for (const fields of [{}, { to: undefined, bcc }]) {
      expect((await attempt(newJob(), () => transporter.sendMail(email(fields)))).state).toBe(
        'sent',
      );
    }
    expect(smtp.received).toHaveLength(2);
  });

  it('a wrong value is refused where it is given', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { plugin: false });
    expect(() => atSend(transporter, { recipients: 'many' as 'any' })).toThrow(/"recipients"/);
    expect(atSend(transporter, { recipients: 'any' })).toBe('at-send');
    expect(atSend(transporter)).toBe('at-send');
    expect(() => atSend(transporter, { recipients: 'one' })).toThrow(/an earlier call/);
  });
});

describe.concurrent('LMTP, which replies for each recipient after the dot', () => {
  const full = '552 5.2.2 full';
  const busy = '452 4.2.2 busy';
  interface Row {
    readonly name: string;
    readonly answers: readonly (string | undefined)[];
    readonly state: string;
    readonly note?: string | undefined;
  }
  const rows: readonly Row[] = [
    { name: 'all accepted', answers: [undefined, undefined, undefined], state: 'sent' },
    {
      name: 'copies refused',
      answers: [undefined, full, busy],
      state: 'sent',
      note: 'refused: cc 552, bcc 452',
    },
    { name: 'all refused for good', answers: [full, full, full], state: 'rejected', note: '552' },
    { name: 'all refused, one for now', answers: [full, busy, full], state: 'threw' },
    {
      name: 'To refused for good, copies accepted',
      answers: [full, undefined, undefined],
      state: 'in-doubt',
      note: 'refused: to 552',
    },
    {
      name: 'To refused for now, one copy accepted',
      answers: [busy, undefined, full],
      state: 'in-doubt',
      note: 'refused: to 452, bcc 552',
    },
    { name: 'a reply that cannot be read', answers: [full, full, 'nonsense'], state: 'in-doubt' },
    {
      name: 'a connection that dies between two replies',
      answers: [undefined, 'close'],
      state: 'in-doubt',
    },
    {
      name: 'a connection that dies after To was refused',
      answers: [full, 'close'],
      state: 'in-doubt',
    },
  ];
  const cases = majors.flatMap((major) =>
    [false, true].flatMap((pool) => rows.map((row) => ({ major, pool, ...row }))),
  );

  it.for(cases)(
    'nodemailer $major, pool $pool: $name',
    async ({ major, pool, answers, state, note }, test) => {
      const byAddress = new Map([to, cc, bcc].map((address, index) => [address, answers[index]]));
      const smtp = await smtpServer(test, { lmtp: (address) => byAddress.get(address) });
      const transport = { lmtp: true };
      const transporter = transporterTo(test, smtp, { major, pool, transport });
      const job = newJob();
      const { ended, record } = await sendTo(job, () => transporter.sendMail(email(copies)));
      expect(ended.state).toBe(state);
      expect(record?.state ?? 'absent').toBe(state === 'threw' ? 'absent' : state);
      if (note !== undefined || state === 'sent') expect(record?.note).toBe(note);
      expect(String(ended.error)).not.toContain('@');
      const received = smtp.received.map((one) => one.to).flat();
      byAddress.clear();
      const retry = await attempt(job, () => transporter.sendMail(email(copies)));
      if (state === 'threw') expect(received).toEqual([]);
      expect(retry.state).toBe(
        { threw: 'sent', sent: 'duplicate', rejected: 'rejected' }[state] ?? 'in-doubt',
      );
      const after = smtp.received.map((one) => one.to).flat();
      expect(after).toEqual(state === 'threw' ? [to, cc, bcc] : received);
    },
  );

  it.for(majors)('nodemailer %i: RCPT refuses To, so no copy is sent', async (major, test) => {
    const rejectRecipients = (address: string) => (address === to ? 450 : undefined);
    const smtp = await smtpServer(test, { lmtp: () => undefined, rejectRecipients });
    const transporter = transporterTo(test, smtp, { major, transport: { lmtp: true } });
    const job = newJob();
    const ended = await attempt(job, () => transporter.sendMail(email(copies)));
    expect(ended.state).toBe('threw');
    expect(await recordState(job)).toBe('absent');
    expect(smtp.received).toEqual([]);
  });
});
