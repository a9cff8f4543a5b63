import assert from 'node:assert/strict';
import { type Attempt, isSendonceError, type LedgerRecord } from '@sendonce/core';
import type { Context } from './topic.ts';

/** Asserts the state of a reply, and narrows the reply to it. */
export function expectState<R extends { readonly state: string }, S extends R['state']>(
  reply: R,
  state: S,
): Extract<R, { readonly state: S }> {
  assert.equal(reply.state, state, `expected "${state}", got ${JSON.stringify(reply)}`);
  return reply as Extract<R, { readonly state: S }>;
}

/** Asserts that a record is there in this state, and who wrote it. */
export async function expectRecord(
  { other }: Context,
  attempt: Pick<Attempt, 'key' | 'token'>,
  state: LedgerRecord['state'],
): Promise<LedgerRecord> {
  const record = await other.read(attempt.key);
  assert.ok(record, `expected a record "${state}", found none`);
  assert.equal(record.state, state);
  assert.equal(record.token, attempt.token);
  assert.equal(record.key, attempt.key);
  return record;
}

export async function expectAbsent({ ledger, other }: Context, key: string): Promise<void> {
  assert.equal(await ledger.read(key), undefined);
  assert.equal(await other.read(key), undefined);
}

/** Another attempt to send the same email. */
export function rivalOf({ attempt }: Context, { key, leaseMs, retentionMs }: Attempt): Attempt {
  return attempt({ key, leaseMs, retentionMs });
}

type Start = (context: Context, overrides?: Partial<Attempt>) => Promise<Attempt>;

/** An attempt that holds a claim. */
export const claimed: Start = async (context, overrides) => {
  const attempt = context.attempt(overrides);
  expectState(await context.ledger.claim(attempt), 'won');
  return attempt;
};

/** An attempt that is past the point of no return. */
export const dispatched: Start = async (context, overrides) => {
  const attempt = await claimed(context, overrides);
  expectState(await context.ledger.dispatch(attempt), 'dispatched');
  return attempt;
};

export const sent: Start = async (context, overrides) => {
  const attempt = await dispatched(context, overrides);
  expectState(
    await context.ledger.settle({ ...attempt, outcome: 'sent', result: '"first"' }),
    'settled',
  );
  return attempt;
};

export const rejected: Start = async (context, overrides) => {
  const attempt = await dispatched(context, overrides);
  expectState(
    await context.ledger.settle({ ...attempt, outcome: 'rejected', note: '550' }),
    'settled',
  );
  return attempt;
};

/** An attempt that has decided not to send. */
export const skipped: Start = async (context, overrides) => {
  const attempt = await claimed(context, overrides);
  expectState(
    await context.ledger.settle({ ...attempt, outcome: 'skipped', note: 'unsubscribed' }),
    'settled',
  );
  return attempt;
};

/** An attempt that has settled that it does not know the outcome. */
export const inDoubt: Start = async (context, overrides) => {
  const attempt = await dispatched(context, overrides);
  expectState(
    await context.ledger.settle({ ...attempt, outcome: 'in-doubt', note: 'ETIMEDOUT' }),
    'settled',
  );
  return attempt;
};

/** The attempt of an email that was cancelled while it held the claim. */
export const cancelled: Start = async (context, overrides) => {
  const attempt = await claimed(context, overrides);
  const { key, retentionMs } = attempt;
  expectState(await context.other.cancel({ key, retentionMs, by: 'customer' }), 'cancelled');
  return attempt;
};

/**
 * What is listed, among the keys of this case. Other cases may leave unreadable records in the
 * store, which a list throws after all the others.
 */
export async function* listed(
  { other }: Context,
  state: 'open' | 'in-doubt',
  attempts: readonly Attempt[],
): AsyncGenerator<LedgerRecord> {
  const ours = new Set(attempts.map(({ key }) => key));
  try {
    for await (const record of other.list({ state })) if (ours.has(record.key)) yield record;
  } catch (error) {
    if (!isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) throw error;
  }
}

export async function listedKeys(...args: Parameters<typeof listed>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of listed(...args)) keys.push(key);
  return keys;
}
