import { expect, test } from 'vitest';
import { failOver } from '../src/failover/fail-over.ts';

test('PostgreSQL fails over to a synchronous standby: no email leaves twice, none is lost', async () => {
  const { once, listed, twice, lost } = await failOver({ synchronous: true, laggingEmails: 0 });
  expect({ twice, lost }).toEqual({ twice: 0, lost: 0 });
  // Ten were on their way when their sender died.
  expect(listed).toBeGreaterThan(0);
  expect(listed).toBeLessThanOrEqual(10);
  expect(once + listed).toBe(120);
}, 90_000);

test('PostgreSQL fails over to an asynchronous standby that lags: what it had not received leaves twice', async () => {
  const { twice, lost } = await failOver({ synchronous: false, laggingEmails: 20 });
  expect(twice).toBeGreaterThan(0);
  expect(lost).toBe(0);
}, 90_000);
