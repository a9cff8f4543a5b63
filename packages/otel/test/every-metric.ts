import { deriveKey, memoryLedger, perform, resolveEmail } from '@sendonce/core';
import { measured, type Measured } from './measured.ts';

/** A run after which every instrument has emitted, with every attribute that it can have. */
export async function everyMetric(): Promise<Measured> {
  const seen = measured();
  const { telemetry } = seen;
  const store = memoryLedger();
  const options = (name: string) =>
    telemetry.observe({ ledger: store, key: deriveKey([name]), job: { queue: 'q', id: name } });
  await perform(async () => {}, options('sent'));
  const fail = async () => {
    throw Object.assign(new Error('gone'), { code: 'ETIMEDOUT' });
  };
  await perform(fail, options('doubt'));
  await perform(fail, options('another doubt'));
  const { ledger, key } = options('doubt');
  const { token } = (await ledger.read(key))!;
  await resolveEmail({ ledger }, { key, token, verdict: 'sent', by: 'Ann' });
  const down = {
    ...store,
    claim: () => Promise.reject(Object.assign(new Error('down'), { code: 'EDOWN' })),
  };
  const unanswered = telemetry.observe({ ledger: down, key, job: { queue: 'q', id: 'down' } });
  await perform(fail, unanswered).catch(() => {});
  telemetry.watchDoubts(store);
  return seen;
}
