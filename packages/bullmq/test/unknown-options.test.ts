import { memoryLedger, OptionError, perform, resolveEmail, confirmSent } from '@sendonce/core';
import { namespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { delayedEmails, doubtSweeper, explain, once, OnceWorker } from '../src/index.ts';

const ledger = memoryLedger();
const connection = new Redis(redisUrl(), { maxRetriesPerRequest: null });
const key = () => ['notice', 7];
const queue = new Queue(namespace('unknown-options'), { connection });
afterAll(async () => {
  await queue.close();
  connection.disconnect();
});
const emails = delayedEmails<{ orderId: number }>(queue, { ledger, key: (data) => [data.orderId] });
const at = new Date(Date.now() + 60_000);
const performed = { ledger, key: 'A'.repeat(22) };

/** The methods of delayedEmails(). */
const methods: Record<string, (unknown: object) => unknown> = {
  'schedule()': (unknown) => emails.schedule({ orderId: 7 }, { at, ...unknown }),
  'scheduleBulk()': (unknown) => emails.scheduleBulk([{ data: { orderId: 7 }, at, ...unknown }]),
  'flowJob()': (unknown) => emails.flowJob({ orderId: 7 }, { at, ...unknown }),
  'reschedule()': (unknown) => emails.reschedule({ orderId: 7 }, { at, ...unknown }),
  'cancel()': (unknown) => emails.cancel({ orderId: 7 }, unknown),
  'cancelBulk()': (unknown) => emails.cancelBulk([{ orderId: 7 }], unknown),
  'status()': (unknown) => emails.status({ orderId: 7 }, unknown),
  'keyOf()': (unknown) => emails.keyOf({ orderId: 7 }, unknown),
};

/** Every other function that takes options. */
const functions: Record<string, (unknown: object) => unknown> = {
  'once()': (unknown) => once(async () => {}, { ledger, key, ...unknown }),
  OnceWorker: (unknown) =>
    new OnceWorker('q', async () => {}, { connection, once: { ledger, key, ...unknown } }),
  'delayedEmails()': (unknown) => delayedEmails(queue, { ledger, key, ...unknown }),
  'doubtSweeper()': (unknown) => doubtSweeper(queue, { ledger, ...unknown }),
  'explain()': (unknown) => explain(unknown),
  'explain({ once })': (unknown) => explain({ once: unknown }),
  'perform()': (unknown) => perform(() => {}, { ...performed, ...unknown }),
  'memoryLedger()': (unknown) => memoryLedger(unknown),
  'resolveEmail()': (unknown) =>
    resolveEmail({ ledger }, { key: 'k', token: 't', verdict: 'sent', by: 'ada', ...unknown }),
  'confirmSent()': (unknown) => confirmSent({ ledger }, { key: 'k', by: 'hook', ...unknown }),
};

const calls = { ...methods, ...functions };

describe.each(Object.keys(calls))('%s', (name) => {
  test('an option that does not exist is an OptionError that names it', async () => {
    const failed = (async () => calls[name]!({ nosuchoption: true }))();
    await expect(failed).rejects.toBeInstanceOf(OptionError);
    await expect(failed).rejects.toThrow(/ has no option "nosuchoption"\. Its options are /);
  });
});

test.each([
  ['schedule()', 'jobId'],
  ['schedule()', 'reason'],
  ['cancel()', 'reason'],
  ['reschedule()', 'job'],
])('%s has no option "%s": nothing was done', async (name, option) => {
  const failed = (async () => calls[name]!({ [option]: 'x' }))();
  await expect(failed).rejects.toMatchObject({ option, mayHaveLeft: 'no' });
  expect((await emails.status({ orderId: 7 })).state).toBe('not-scheduled');
});

test.each([
  ['once()', 'leaseMS', 'leaseMs'],
  ['once()', 'fingerPrint', 'fingerprint'],
  ['once()', 'onbusy', 'onBusy'],
  ['delayedEmails()', 'retentionMS', 'retentionMs'],
  ['schedule()', 'dealy', 'delay'],
  ['cancel()', 'occurence', 'occurrence'],
  ['status()', 'ocurrence', 'occurrence'],
  ['reschedule()', 'Delay', 'delay'],
  ['doubtSweeper()', 'intervalMS', 'intervalMs'],
  ['doubtSweeper()', 'everyMs', 'intervalMs'],
  ['perform()', 'resovler', 'resolver'],
])('%s suggests the nearest name for a misspelt option', async (name, misspelt, nearest) => {
  const failed = (async () => calls[name]!({ [misspelt]: 1000 }))();
  await expect(failed).rejects.toThrow(`has no option "${misspelt}". Did you mean "${nearest}"?`);
});

test.each([
  ['atempts', 'attempts'],
  ['removeOnFailed', 'removeOnFail'],
  ['backOff', 'backoff'],
  ['dealy', 'delay'],
])('a misspelt option of "job", %s, suggests %s', async (misspelt, nearest) => {
  const job = { [misspelt]: 3 };
  const message = `"job" has no option "${misspelt}". Did you mean "${nearest}"?`;
  expect(() => delayedEmails(queue, { ledger, key, job })).toThrow(message);
  await expect(emails.schedule({ orderId: 7 }, { at, job })).rejects.toThrow(message);
});

test('an option of "job" that sendonce does not know is left to BullMQ', () => {
  const job = { ofSomeLaterVersion: true } as object;
  expect(() => delayedEmails(queue, { ledger, key, job })).not.toThrow();
});

test.each([null, 3, []])('"job" of %j is refused', async (wrong) => {
  const job = wrong as unknown as object;
  await expect(emails.schedule({ orderId: 7 }, { at, job })).rejects.toMatchObject({
    option: 'job',
    message: expect.stringContaining('Nothing was scheduled.') as string,
  });
});

test.each([5, ['ada'], { name: 'ada' }])('"by" of %j is refused by cancel()', async (wrong) => {
  const options = { by: wrong } as unknown as { by: string };
  const refused = { option: 'by', mayHaveLeft: 'no' };
  await expect(emails.cancel({ orderId: 8 }, options)).rejects.toMatchObject(refused);
  await expect(emails.cancelBulk([], options)).rejects.toMatchObject(refused);
  expect(await ledger.read(emails.keyOf({ orderId: 8 }))).toBeUndefined();
});

describe.each(['scheduleBulk', 'rescheduleBulk', 'cancelBulk', 'statusBulk'] as const)(
  '%s()',
  (method) => {
    const call = (list: unknown) => (emails[method] as (list: unknown) => Promise<unknown>)(list);

    test.each([undefined, null, 7, 'email', { data: { orderId: 7 } }])(
      `${method}() of %j instead of a list is refused`,
      async (wrong) => {
        await expect(call(wrong)).rejects.toMatchObject({
          option: 'emails',
          message: expect.stringContaining(
            `Expected "emails" of ${method}() to be a list`,
          ) as string,
        });
      },
    );
  },
);

test.each([
  [
    'scheduleBulk',
    'data',
    [
      { data: { orderId: 9 }, at },
      { orderId: 9, at },
    ],
  ],
  ['scheduleBulk', 'data', [{ data: { orderId: 9 }, at }, undefined]],
  ['rescheduleBulk', 'email', [{ email: { orderId: 9 }, at }, 'email']],
] as const)('%s() names the email of the list that lacks "%s"', async (method, field, list) => {
  const call = emails[method] as (list: unknown) => Promise<unknown>;
  await expect(call(list)).rejects.toMatchObject({
    option: 'emails[1]',
    message: expect.stringContaining(`to be an object with "${field}"`) as string,
  });
  expect((await emails.status({ orderId: 9 })).state).toBe('not-scheduled');
});

test('a label without a journal is refused by once() and delayedEmails()', () => {
  const label = () => 'order 7';
  const message = 'Expected "journal" beside "label"';
  expect(() => once(async () => {}, { ledger, key, label })).toThrow(message);
  expect(() => delayedEmails(queue, { ledger, key, label })).toThrow(message);
});

test('"undispatched" in the default mode is refused by once()', () => {
  const options = { ledger, key, undispatched: 'sent' } as const;
  expect(() => once(async () => {}, options)).toThrow('Expected no "undispatched"');
  expect(() => once(async () => {}, { ...options, dispatch: 'at-send' })).not.toThrow();
});

test.each([
  ['"30s"', { leaseMs: '30s' }],
  ['"atSend"', { dispatch: 'atSend' }],
  ['"-1"', { retentionMs: '-1' }],
  ['"ignored"', { onDifferentData: 'ignored' }],
])('a wrong value is shown in its message: %s', (shown, wrong) => {
  expect(() => once(async () => {}, { ledger, key, ...(wrong as object) })).toThrow(
    `got ${shown}.`,
  );
});

test.each([
  'ada@example.org',
  'redis://:secret@host',
  'x'.repeat(25),
  're_1234567890abcdefghijklmnop',
])('a value that may be an address or a secret is not shown', (value) => {
  const wrong = { leaseMs: value } as unknown as { leaseMs: number };
  expect(() => once(async () => {}, { ledger, key, ...wrong })).toThrow(
    'got a value of type string.',
  );
});
