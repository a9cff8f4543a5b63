import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { delayedEmails } from '../src/index.ts';
import { onBothVersions, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
}

onBothVersions((bullmq) => {
  test('with telemetry, calls of one tick keep the trace of their callers', async () => {
    const stage = startStage(bullmq);
    const traces = new AsyncLocalStorage<string>();
    const span = {
      setSpanOnContext: (context: string) => context,
      setAttribute() {},
      setAttributes() {},
      addEvent() {},
      recordException() {},
      spanContext: () => ({}),
      end() {},
    };
    const telemetry = {
      tracer: { startSpan: () => span },
      contextManager: {
        active: () => traces.getStore() ?? '',
        with: <R>(context: string, run: () => R) => traces.run(context, run),
        getMetadata: (context: string) => context,
        fromMetadata: (_: string, metadata: string) => metadata,
      },
    };
    const { connection, prefix } = stage;
    const queue = stage.adopt(
      new bullmq.Queue<Notice>('q', { connection, prefix, telemetry: telemetry as never }),
    );
    await queue.waitUntilReady();
    const emails = delayedEmails<Notice>(queue, {
      ledger: stage.ledger,
      key: (data) => data.order,
    });
    const orders = [1, 2, 3, 4, 5];
    await Promise.all(
      orders.map((order) =>
        traces.run(`trace-${order}`, () => emails.schedule({ order }, { delay: 3_600_000 })),
      ),
    );
    const jobs = await Promise.all(
      orders.map((order) => queue.getJob(`email-${emails.keyOf({ order })}`)),
    );
    expect(jobs.map((job) => job?.opts.telemetry?.metadata)).toEqual(
      orders.map((order) => `trace-${order}`),
    );
  });
});
