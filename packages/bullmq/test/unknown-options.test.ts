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

/** The methods, which may be given an object with other things in it. */
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

describe.each(Object.keys(functions))('%s', (name) => {
  test('an option that does not exist is an OptionError that names it', async () => {
    const failed = (async () => calls[name]!({ nosuchoption: true }))();
    await expect(failed).rejects.toBeInstanceOf(OptionError);
    await expect(failed).rejects.toThrow(/ has no option "nosuchoption"\. Its options are /);
  });
});

test.each(Object.keys(methods).filter((name) => !name.endsWith('Bulk()')))(
  '%s takes an object with other things in it',
  async (name) => {
    await (async () => methods[name]!({ orderId: 7, to: 'ada@example.org' }))();
  },
);

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
