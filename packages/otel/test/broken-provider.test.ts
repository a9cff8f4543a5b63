import {
  createNoopMeter,
  type Meter,
  type MeterProvider,
  ProxyTracerProvider,
  type Span,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { once } from '@sendonce/bullmq';
import { deriveKey, memoryLedger, perform } from '@sendonce/core';
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { type Job, onBothVersions, startStage } from '../../bullmq/test/stage.ts';
import { sendonceTelemetry, type TelemetryOptions } from '../src/index.ts';

let warnings: MockInstance<typeof process.emitWarning>;
beforeEach(() => {
  warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

const told = () =>
  warnings.mock.calls.filter(([, how]) => (how as { code?: string }).code === 'SENDONCE_TELEMETRY');

const fail = (): never => {
  throw new Error('exporter');
};
const meterThat = (broken: Partial<Meter>): MeterProvider => ({
  getMeter: () => Object.assign(Object.create(createNoopMeter()) as Meter, broken),
});
const spanThat = (broken: Partial<Span>): TracerProvider => ({
  getTracer: () => ({
    startSpan: () =>
      Object.assign(
        Object.create(new ProxyTracerProvider().getTracer('x').startSpan('x')) as Span,
        broken,
      ),
    startActiveSpan: fail,
  }),
});

const broken: [string, TelemetryOptions][] = [
  ['a MeterProvider without meters', { meterProvider: { getMeter: fail } }],
  [
    'a meter without instruments',
    { meterProvider: meterThat({ createCounter: fail, createHistogram: fail }) },
  ],
  [
    'instruments that throw',
    {
      meterProvider: meterThat({
        createCounter: () => ({ add: fail }),
        createHistogram: () => ({ record: fail }),
      }),
    },
  ],
  ['a TracerProvider without tracers', { tracerProvider: { getTracer: fail } }],
  [
    'a tracer without spans',
    { tracerProvider: { getTracer: () => ({ startSpan: fail, startActiveSpan: fail }) } },
  ],
  ['a span that cannot end', { tracerProvider: spanThat({ end: fail }) }],
  [
    'a span that takes nothing',
    { tracerProvider: spanThat({ setAttribute: fail, addEvent: fail, isRecording: fail }) },
  ],
];

onBothVersions((bullmq) => {
  test.each(broken)('%s decides over no email, and is one warning', async (_name, options) => {
    const stage = startStage(bullmq);
    const telemetry = sendonceTelemetry(options);
    const key = (job: Job) => ['notice', job.data.orderId];
    let sent = 0;
    const processor = once(
      telemetry.effect(async () => void ++sent),
      telemetry.observe({ ledger: stage.ledger, key }),
    );
    stage.worker(processor, { concurrency: 8 });
    const jobs = await Promise.all(
      Array.from({ length: 8 }, () => stage.queue().add('n', { orderId: 1 })),
    );
    for (const job of jobs) expect((await stage.ended(job)).state).toBe('completed');
    expect(sent).toBe(1);
    expect(processor.counters).toMatchObject({ sent: 1, duplicate: 7 });
    expect(told()).toHaveLength(1);
  });
});

test('a meter without gauges: there are none, and one warning', async () => {
  const meterProvider = meterThat({ createObservableGauge: fail });
  const watch = sendonceTelemetry({ meterProvider }).watchDoubts(memoryLedger());
  await watch.close();
  expect(told()).toHaveLength(1);
});

test('without any SDK nothing is measured, and everything works', async () => {
  expect(trace.getActiveSpan()).toBeUndefined();
  const telemetry = sendonceTelemetry();
  const options = telemetry.observe({ ledger: memoryLedger(), key: deriveKey(['n']) });
  expect(
    await perform(
      telemetry.effect(async () => 1),
      options,
    ),
  ).toMatchObject({ state: 'sent' });
  expect(await perform(async () => 2, options)).toMatchObject({ state: 'duplicate', value: 1 });
  expect(told()).toHaveLength(0);
});
