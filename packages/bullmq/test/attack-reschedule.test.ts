import { expect, test } from 'vitest';
import { delayedEmails } from '../src/index.ts';
import { startStage } from './stage.ts';

const HOUR_MS = 60 * 60 * 1000;
const fromNow = (ms: number) => new Date(Date.now() + ms);

test('reschedule() that dies after it moved the job: the email is still sent, at one of the two times', async () => {
  const stage = startStage();
  const { ledger } = stage;
  const queue = stage.queue();
  const key = ({ order }: { order: number }) => ['notice', order];
  await delayedEmails<{ order: number }>(queue, { ledger, key }).schedule(
    { order: 7 },
    { at: fromNow(HOUR_MS), notAfter: fromNow(2 * HOUR_MS) },
  );
  // The process is killed, or Redis is full, before the successor is added.
  const dying = new Proxy(queue, {
    get(target, name) {
      if (name === 'add') return () => Promise.reject(new Error('killed'));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const emails = delayedEmails<{ order: number }>(dying, { ledger, key });
  const moved = emails.reschedule(
    { order: 7 },
    { at: fromNow(3 * HOUR_MS), notAfter: fromNow(4 * HOUR_MS) },
  );
  await expect(moved).rejects.toThrow();
  const status = await emails.status({ order: 7 });
  // The job is due an hour after its own notAfter: it would be skipped.
  if (status.state !== 'scheduled') throw new Error(`it is ${status.state}`);
  expect(status.at!.getTime()).toBeLessThan(status.notAfter!.getTime());
});
