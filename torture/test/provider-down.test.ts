import { redisUrl } from '@sendonce/testkit/vitest';
import { expect, test } from 'vitest';
import { outages, settings } from '../src/provider-down/outages.ts';
import { spendAnHour } from '../src/provider-down/spend-an-hour.ts';

const size = { emails: 20, hourMs: 2000 };
const sizes = { once: 20, twice: 0, none: 0 };
const [resend, postmark] = settings as [(typeof settings)[0], (typeof settings)[0]];
const [unreachable, , , , accepting] = outages as [(typeof outages)[0], ...typeof outages];

test('after an hour without a connection nothing is left for a person', async () => {
  const result = await spendAnHour(redisUrl(), { outage: unreachable, setting: postmark, size });
  expect(result).toEqual({ doubts: 0, failed: 0, commands: 0, ...sizes });
});

test('a provider that accepts and answers 500 leaves doubts, which one command resolves', async () => {
  const result = await spendAnHour(redisUrl(), { outage: accepting!, setting: postmark, size });
  expect(result).toEqual({ doubts: 20, failed: 20, commands: 1, ...sizes });
});

test('with an idempotency key, the same is replayed', async () => {
  const result = await spendAnHour(redisUrl(), { outage: accepting!, setting: resend, size });
  expect(result).toEqual({ doubts: 0, failed: 0, commands: 0, ...sizes });
});
