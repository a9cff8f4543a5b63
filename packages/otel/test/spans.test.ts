import { context, createContextKey, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { deriveKey, memoryLedger, perform } from '@sendonce/core';
import { once } from '@sendonce/bullmq';
import { eventually } from '@sendonce/testkit';
import { BullMQOtel } from 'bullmq-otel';
import * as bullmq6 from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Job, onBothVersions, startStage } from '../../bullmq/test/stage.ts';
import { measured, type Measured } from './measured.ts';

const key = (job: Job) => ['notice', job.data.orderId];

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());

const named = (spans: readonly ReadableSpan[], name: string) =>
  spans.filter((span) => span.name === name);
const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId;

/** All the spans, when there are so many of that name. */
const spansWith = ({ spans }: Measured, name: string, count: number) =>
  eventually(() => {
    expect(named(spans(), name)).toHaveLength(count);
    return spans();
  });

test("with bullmq-otel: the attempt is a child of BullMQ's span, and what the processor does of the attempt", async () => {
  const stage = startStage(bullmq6);
  const seen = measured();
  const { telemetry, tracerProvider } = seen;
  trace.setGlobalTracerProvider(tracerProvider);
  stage.onEnd(() => trace.disable());
  const request = async () => {
    trace.getTracer('http').startSpan('POST /emails').end();
    return 'done';
  };
  const processor = once(
    telemetry.effect(request),
    telemetry.observe({ ledger: stage.ledger, key }),
  );
  const worker = stage.worker(processor, { telemetry: new BullMQOtel({ tracerName: 'shop' }) });
  const job = await stage.queue().add('n', { orderId: 4711 });
  await stage.ended(job);
  await worker.close();

  const spans = await spansWith(seen, 'send_email q', 1);
  const [attempt] = named(spans, 'send_email q');
  const process = spans.find((span) => idOf(span) === parentOf(attempt));
  expect(process?.name).toMatch(/process/);
  expect(process?.instrumentationScope.name).toBe('shop');
  expect(attempt!.spanContext().traceId).toBe(process!.spanContext().traceId);
  for (const name of ['sendonce.claim', 'sendonce.settle', 'POST /emails']) {
    expect(named(spans, name).map(parentOf), name).toEqual([idOf(attempt)]);
  }
  expect(attempt!.attributes).toEqual({
    'messaging.system': 'bullmq',
    'messaging.destination.name': 'q',
    'messaging.message.id': job.id,
    'sendonce.key': deriveKey(['notice', 4711]),
    'sendonce.outcome': 'sent',
  });
  const [claim] = named(spans, 'sendonce.claim');
  expect(claim!.attributes).toEqual({
    'sendonce.ledger.verb': 'claim',
    'sendonce.ledger.reply': 'won',
  });
  // The claim is within its attempt.
  expect(claim!.startTime).toEqual(attempt!.startTime);
});

onBothVersions((bullmq) => {
  test('a doubt and a rejected email are errors with their code, a duplicate is no error; no text of the error', async () => {
    const stage = startStage(bullmq);
    const seen = measured();
    const codes: Record<number, string> = { 1: 'ETIMEDOUT', 2: '552' };
    const options = seen.telemetry.observe({
      ledger: stage.ledger,
      key,
      classify: (error: unknown) =>
        (error as { code?: string }).code === '552' ? ('rejected' as const) : undefined,
    });
    const processor = once(async (job: Job) => {
      const code = codes[job.data.orderId as number];
      if (code) throw Object.assign(new Error('to ada@example.org'), { code });
    }, options);
    stage.worker(processor);
    for (const orderId of [1, 2, 3, 3, 1])
      await stage.ended(await stage.queue().add('n', { orderId }));

    const spans = named(await spansWith(seen, 'send_email q', 5), 'send_email q');
    const told = spans.map(({ attributes, status }) => [
      attributes['sendonce.outcome'],
      attributes['error.type'],
      status.code === SpanStatusCode.ERROR,
    ]);
    expect(told).toEqual([
      ['in-doubt', 'ETIMEDOUT', true],
      ['rejected', '552', true],
      ['sent', undefined, false],
      ['duplicate', undefined, false],
      ['in-doubt', 'ETIMEDOUT', true],
    ]);
    const texts = seen
      .spans()
      .map(({ name, attributes, events, status }) => [name, attributes, events, status]);
    expect(JSON.stringify(texts)).not.toContain('ada');
  });

  test('a processor with three parameters still gets its signal', async () => {
    const stage = startStage(bullmq);
    const { telemetry } = measured();
    let signalled: unknown;
    const processor = once(
      telemetry.effect(async (_job: Job, _token?: string, signal?: AbortSignal) => {
        signalled = signal;
      }),
      telemetry.observe({ ledger: stage.ledger, key }),
    );
    stage.worker(processor);
    await stage.ended(await stage.queue().add('n', { orderId: 1 }));
    expect(signalled).toBeInstanceOf(AbortSignal);
  });
});

test('perform(): the attempt is a child of what is active, and its dispatch is a separate span', async () => {
  const stage = startStage(bullmq6);
  const seen = measured();
  const options = seen.telemetry.observe({
    ledger: stage.ledger,
    key: deriveKey(['notice', 1]),
    job: { queue: 'cron', id: '7' },
    dispatch: 'at-send' as const,
  });
  const tracer = seen.tracerProvider.getTracer('cron');
  await tracer.startActiveSpan('nightly', async (nightly) => {
    const effect = seen.telemetry.effect(async (claim: import('@sendonce/core').Claim) => {
      await claim.dispatch();
      tracer.startSpan('smtp').end();
    });
    await perform(effect, options);
    nightly.end();
  });
  const spans = seen.spans();
  const [attempt] = named(spans, 'send_email cron');
  expect(parentOf(attempt)).toBe(idOf(named(spans, 'nightly')[0]));
  const children = spans.filter((span) => parentOf(span) === idOf(attempt));
  expect(children.map(({ name }) => name)).toEqual([
    'sendonce.claim',
    'sendonce.dispatch',
    'smtp',
    'sendonce.settle',
  ]);
  expect(attempt!.events.map(({ name }) => name)).toEqual(['sendonce.dispatched']);
  expect(attempt!.attributes).toMatchObject({ 'messaging.message.id': '7' });
  // A job of perform() may belong to any queue system.
  expect(attempt!.attributes).not.toHaveProperty('messaging.system');
});

test('what was active around the attempt (baggage, say) is so within the effect', async () => {
  const { telemetry } = measured();
  const tenant = createContextKey('tenant');
  const options = telemetry.observe({ ledger: memoryLedger(), key: deriveKey(['n']) });
  const seen = await context.with(context.active().setValue(tenant, 'shop'), () =>
    perform(
      telemetry.effect(async () => context.active().getValue(tenant)),
      options,
    ),
  );
  expect(seen).toMatchObject({ state: 'sent', value: 'shop' });
});

test('a verb that fails is an error within its attempt', async () => {
  const stage = startStage(bullmq6);
  const seen = measured();
  const down = () => Promise.reject(Object.assign(new Error('at ada'), { code: 'EDOWN' }));
  const options = seen.telemetry.observe({
    ledger: { ...stage.ledger, settle: down },
    key: deriveKey(['notice', 1]),
    job: { queue: 'q', id: '1' },
  });
  await expect(perform(async () => {}, options)).rejects.toThrow('could not be recorded');
  const spans = await spansWith(seen, 'send_email q', 1);
  const [settle] = named(spans, 'sendonce.settle');
  expect(settle!.attributes['error.type']).toBe('EDOWN');
  const [attempt] = named(spans, 'send_email q');
  expect(parentOf(settle)).toBe(idOf(attempt));
  expect(attempt!.attributes['error.type']).toBe('SENDONCE_NOT_RECORDED');
  expect(JSON.stringify(spans.map(({ status, events }) => [status, events]))).not.toContain('ada');
});
