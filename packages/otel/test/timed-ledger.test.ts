import { memoryLedger, perform, deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { once } from '@sendonce/bullmq';
import { eventually } from '@sendonce/testkit';
import { expect, test, vi } from 'vitest';
import { type Job, onBothVersions, startStage } from '../../bullmq/test/stage.ts';
import { openNamespace } from '../../redis/test/connections.ts';
import { redisLedger } from '@sendonce/redis';
import { sendonceTelemetry } from '../src/index.ts';
import { measured } from './measured.ts';

const telemetry = sendonceTelemetry();

onBothVersions((bullmq) => {
  test("the outcome is still written on the worker's own connection, and is timed there", async () => {
    const stage = startStage(bullmq);
    const seen = measured();
    const settle = vi.spyOn(stage.ledger, 'settle');
    const key = (job: Job) => ['notice', job.data.orderId];
    const options = seen.telemetry.observe({ ledger: stage.ledger, key });
    stage.worker(once(async () => {}, options));
    // The worker is asked beside its first job, which settles on the ledger's connection.
    await stage.ended(await stage.queue().add('n', { orderId: 0 }));
    const before = settle.mock.calls.length;
    for (let orderId = 1; orderId < 4; orderId++) {
      await stage.ended(await stage.queue().add('n', { orderId }));
    }
    expect(settle.mock.calls.length).toBe(before);
    expect(await seen.sum('sendonce.ledger.duration', { 'sendonce.ledger.verb': 'settle' })).toBe(
      4,
    );
  });
});

test('settleVia of a copy of the timed ledger settles through the original, and is timed', async () => {
  const space = openNamespace('otel-settle');
  const { telemetry, sum } = measured();
  try {
    const store = redisLedger(space.connect(), { prefix: space.prefix });
    const ledger = { ...telemetry.ledger(store) };
    const send = await ledger.settleVia!(space.connect());
    const attempt = {
      key: deriveKey(['n']),
      token: createToken(),
      leaseMs: 1000,
      retentionMs: 1000,
    };
    await ledger.claim({ ...attempt, dispatched: true });
    expect(await send!({ ...attempt, outcome: 'sent' }).reply).toEqual({ state: 'settled' });
    expect(await store.read(attempt.key)).toMatchObject({ state: 'sent' });
    const settled = { 'sendonce.ledger.verb': 'settle' };
    expect(await sum('sendonce.ledger.duration', settled)).toBe(1);
  } finally {
    await space.close();
  }
});

test('a timed ledger is its own timed ledger: its heartbeat and its doctor stay one', () => {
  const ledger = telemetry.ledger(memoryLedger());
  expect(telemetry.ledger(ledger)).toBe(ledger);
});

test('what the ledger cannot do, the timed one does not pretend to', () => {
  const ledger = { ...memoryLedger() };
  delete ledger.doctor;
  const timed = telemetry.ledger(ledger);
  for (const verb of ['onLost', 'settleVia', 'doctor'] as const)
    expect(timed[verb]).toBeUndefined();
  expect(telemetry.ledger(ledger)).toBe(timed);
});

test('losses that the store tells of, its doctor, its own close(), and `this` are kept', async () => {
  class Store {
    readonly name = 'store';
    closed = false;
    listener: ((tokens: readonly string[]) => void) | undefined;
    onLost(listener: (tokens: readonly string[]) => void): void {
      this.listener = listener;
    }
    async doctor() {
      return [{ severity: 'info', check: this.name, found: '', remedy: '' }] as const;
    }
    whoAmI(): string {
      return this.name;
    }
  }
  const store = Object.assign(new Store(), memoryLedger());
  const timed = telemetry.ledger(store);
  expect(timed.whoAmI()).toBe('store');
  expect(await timed.doctor()).toMatchObject([{ check: 'store' }]);
  const aborted = perform(
    async ({ signal }) => {
      store.listener!([(await timed.read(key))!.token]);
      expect(signal.aborted).toBe(true);
    },
    { ledger: timed, key: deriveKey(['n']) },
  );
  const key = deriveKey(['n']);
  expect(await aborted).toMatchObject({ state: 'sent' });
});

test('a verb that throws at once rejects, with the same error', async () => {
  const error = new TypeError('odd');
  const ledger: Ledger = {
    ...memoryLedger(),
    claim() {
      throw error;
    },
  };
  const attempt = { key: deriveKey(['n']), token: createToken(), leaseMs: 1000, retentionMs: 1000 };
  await expect(telemetry.ledger(ledger).claim(attempt)).rejects.toBe(error);
});

test.each([
  ['meterProvider', () => sendonceTelemetry({ meterProvider: {} as never })],
  ['tracerProvider', () => sendonceTelemetry({ tracerProvider: 'otlp' as never })],
  ['ledger', () => telemetry.observe({ ledger: {} as Ledger })],
  ['ledger', () => telemetry.observe(undefined as never)],
  ['ledger', () => telemetry.ledger(null as never)],
  ['ledger', () => telemetry.watchDoubts(undefined as never)],
  ['onEvent', () => telemetry.observe({ ledger: memoryLedger(), onEvent: 'log' as never })],
  ['effect', () => telemetry.effect('./processor.js' as never)],
])('a wrong %s is refused at once', (option, wrong) => {
  expect(wrong).toThrow(expect.objectContaining({ code: 'SENDONCE_OPTION', option }));
});

test('the memory of tokens that never end is bounded', async () => {
  const { telemetry, spans } = measured();
  const job = { queue: 'q', id: '1' };
  const event = { type: 'claimed', key: deriveKey(['n']), job } as const;
  for (let n = 0; n < 10_003; n++) telemetry.onEvent({ ...event, token: `token-${n}` });
  // The three oldest ones are forgotten, their spans ended without an outcome.
  await eventually(() => expect(spans()).toHaveLength(3));
  expect(spans().map(({ attributes }) => attributes['sendonce.outcome'])).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a claim without events is kept until a thousand others came', async () => {
  const { telemetry, spans } = measured();
  const ledger = telemetry.ledger(memoryLedger());
  const claim = async () => {
    const attempt = { key: deriveKey(createToken()), token: createToken() };
    await ledger.claim({ ...attempt, leaseMs: 1000, retentionMs: 1000 });
    return attempt;
  };
  const [forgotten, kept] = [await claim(), await claim()];
  for (let others = 0; others < 999; others++) await claim();
  for (const attempt of [forgotten, kept]) {
    telemetry.onEvent({ type: 'duplicate', ...attempt, job: { queue: 'q', id: '1' } });
  }
  const attempts = spans().filter(({ name }) => name === 'send_email q');
  expect(attempts.map(({ attributes }) => attributes['sendonce.key'])).toEqual([
    forgotten.key,
    kept.key,
  ]);
  const claims = spans().filter(({ name }) => name === 'sendonce.claim');
  expect(claims.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
    attempts[1]!.spanContext().spanId,
  ]);
});
