import { describe, expect, it } from 'vitest';
import type { OutcomeState } from '../src/index.ts';
import { providerNamed, setUp, trySend } from './helpers.ts';

interface Case {
  readonly provider: string;
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly outcome: OutcomeState;
  /** In the record, or with the error. */
  readonly note?: string;
}

const queued = { object: 'message', id: 'a1', status: 'queued' };
const failed = { object: 'message', id: null, status: 'error', error: 'suppressed' };

function reused(originalStatusCode: unknown) {
  return { error: { code: 'IDEMPOTENCY_KEY_REUSED', details: { originalStatusCode } } };
}

/** Answers that are documented and are no faults of a server. */
const cases: readonly Case[] = [
  { provider: 'Brevo', status: 201, body: { messageId: '<a@b>' }, outcome: 'sent' },
  { provider: 'Brevo', status: 202, body: { messageId: '<a@b>' }, outcome: 'sent' },
  {
    provider: 'Brevo',
    status: 400,
    body: { code: 'duplicate_parameter' },
    outcome: 'sent-already',
  },
  {
    provider: 'Brevo',
    status: 409,
    body: { code: 'duplicate_parameter' },
    outcome: 'sent-already',
  },
  { provider: 'Brevo', status: 400, body: { code: 'not_enough_credits' }, outcome: 'refused' },
  { provider: 'Brevo', status: 402, body: { code: 'not_enough_credits' }, outcome: 'refused' },
  {
    provider: 'Brevo',
    status: 400,
    body: { code: 'invalid_parameter' },
    outcome: 'rejected',
    note: '400 invalid_parameter',
  },
  {
    provider: 'Resend',
    status: 400,
    body: { name: 'invalid_idempotency_key' },
    outcome: 'rejected',
  },
  {
    provider: 'Resend',
    status: 409,
    body: { name: 'something_new' },
    outcome: 'unknown',
    note: '409 something_new',
  },
  { provider: 'Resend', status: 429, body: { name: 'daily_quota_exceeded' }, outcome: 'refused' },
  { provider: 'Resend', status: 451, body: { name: 'security_error' }, outcome: 'rejected' },
  {
    provider: 'Resend',
    status: 422,
    body: { name: 'a sentence with ada@example.org' },
    outcome: 'rejected',
    note: '422',
  },
  {
    provider: 'SparkPost',
    status: 200,
    body: { results: { total_accepted_recipients: 0, id: '1' } },
    outcome: 'rejected',
  },
  {
    provider: 'SparkPost',
    status: 200,
    body: { results: { total_accepted_recipients: 1, id: '1' } },
    outcome: 'sent',
  },
  { provider: 'SparkPost', status: 400, body: { errors: [{ code: '1602' }] }, outcome: 'rejected' },
  { provider: 'SparkPost', status: 420, body: { errors: [{ code: '1' }] }, outcome: 'refused' },
  {
    provider: 'Lettermint',
    status: 202,
    body: { message_id: 'a', status: 'suppressed' },
    outcome: 'rejected',
  },
  {
    provider: 'Lettermint',
    status: 409,
    body: { error: 'invalid_idempotent_request' },
    outcome: 'conflict',
    note: 'conflict',
  },
  { provider: 'Lettermint', status: 409, body: { message: 'x' }, outcome: 'unknown', note: '409' },
  { provider: 'AhaSend', status: 202, body: { data: [queued] }, outcome: 'sent' },
  { provider: 'AhaSend', status: 202, body: { data: [failed] }, outcome: 'rejected' },
  { provider: 'AhaSend', status: 202, body: { data: [] }, outcome: 'unknown' },
  { provider: 'AhaSend', status: 412, body: { message: 'x' }, outcome: 'unknown', note: '412' },
  {
    provider: 'AhaSend',
    status: 202,
    body: { data: [queued] },
    headers: { 'idempotent-replayed': 'true' },
    outcome: 'sent-already',
  },
  { provider: 'Loops', status: 200, body: { success: false }, outcome: 'unknown' },
  { provider: 'Plunk', status: 409, body: reused(200), outcome: 'sent-already' },
  {
    provider: 'Plunk',
    status: 409,
    body: reused(null),
    outcome: 'in-progress',
    note: 'in-progress',
  },
  {
    provider: 'Plunk',
    status: 409,
    body: reused(500),
    outcome: 'unknown',
    note: '409 IDEMPOTENCY_KEY_REUSED',
  },
  // The first request was refused while this one was read.
  { provider: 'Plunk', status: 409, body: reused(undefined), outcome: 'in-progress' },
  { provider: 'Plunk', status: 409, body: { error: { code: 'CONFLICT' } }, outcome: 'unknown' },
  { provider: 'Plunk', status: 200, body: { success: true, data: {} }, outcome: 'unknown' },
  {
    provider: 'Plunk',
    status: 503,
    headers: { 'retry-after': '7' },
    body: {},
    outcome: 'unknown',
  },
  { provider: 'Postmark', status: 200, body: { ErrorCode: 406 }, outcome: 'unknown' },
  {
    provider: 'Postmark',
    status: 422,
    body: { ErrorCode: 406 },
    outcome: 'rejected',
    note: '422 406',
  },
  { provider: 'Postmark', status: 422, body: { ErrorCode: 405 }, outcome: 'refused' },
  { provider: 'SendGrid', status: 202, outcome: 'unknown' },
  { provider: 'SendGrid', status: 202, headers: { 'x-message-id': 'a b' }, outcome: 'unknown' },
  {
    provider: 'SendGrid',
    status: 400,
    body: { errors: [{ field: 'from.email' }] },
    outcome: 'rejected',
    note: '400 from.email',
  },
];

function answering({ status, body, headers }: Pick<Case, 'status' | 'body' | 'headers'>) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return async () => new Response(text, { status, ...(headers && { headers }) });
}

const states: Partial<Record<OutcomeState, string>> = {
  sent: 'sent',
  'sent-already': 'sent',
  rejected: 'rejected',
  refused: 'threw',
};

it.for(cases)('$provider answers $status $body: $outcome', async (given, test) => {
  const setup = await setUp(test, providerNamed(given.provider), { fetch: answering(given) });
  const { state, error, info, job } = await trySend(setup);
  expect(state).toBe(states[given.outcome] ?? 'in-doubt');
  if (state === 'sent') expect(info?.response).toBe(`${given.status} ${given.outcome}`);
  else expect(error).toMatchObject({ outcome: given.outcome, status: given.status });
  const record = await job.ledger.read(job.key);
  if (given.note !== undefined) expect(record?.note).toBe(given.note);
  expect(String(error)).not.toMatch(/ada@|sentence/);
});

describe('Retry-After', () => {
  const inAMinute = () => new Date(Date.now() + 60_000).toUTCString();
  it.for([
    ['7', 7000, 7000],
    [' 0 ', 0, 0],
    [inAMinute(), 50_000, 61_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0, 0],
  ] as const)('%s', async ([value, least, most], test) => {
    const fetch = answering({ status: 429, headers: { 'retry-after': value } });
    const { error } = await trySend(await setUp(test, providerNamed('Resend'), { fetch }));
    const { retryAfterMs = -1 } = error as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(retryAfterMs).toBeLessThanOrEqual(most);
  });

  it('a Retry-After that cannot be read is ignored, and a 503 with it is no refusal', async (test) => {
    const fetch = answering({ status: 503, headers: { 'retry-after': 'soon' } });
    const { error } = await trySend(await setUp(test, providerNamed('Resend'), { fetch }));
    expect(error).toMatchObject({ outcome: 'unknown', retryAfterMs: undefined });
  });
});

it('without a claim no answer is about a key', async (test) => {
  const body = { code: 'duplicate_parameter' };
  const fetch = answering({ status: 400, body });
  const { transporter } = await setUp(test, providerNamed('Brevo'), { fetch });
  const mail = { from: 'a@shop.example', to: 'b@customer.example', text: 'x' };
  await expect(transporter.sendMail(mail)).rejects.toMatchObject({ outcome: 'rejected' });
});

it('the record of a doubt says what kind it is', async (test) => {
  const notes = {
    'in-progress': 'in-progress',
    conflict: 'conflict',
    'hang-after': 'ETIMEDOUT',
    'error-after': '500 application_error',
    'not-json-after': '200 unreadable',
  } as const;
  for (const [fault, note] of Object.entries(notes)) {
    const setup = await setUp(test, providerNamed('Resend'), { answerWithinMs: 1500 });
    setup.server.setFault(fault as keyof typeof notes);
    const { job } = await trySend(setup);
    expect(await job.ledger.read(job.key)).toMatchObject({ state: 'in-doubt', note });
  }
});
