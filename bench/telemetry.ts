/**
 * Measures what telemetry costs a job: CPU time of the worker's process, as a ratio to once()
 * without telemetry in the same round. The processors do nothing, so nothing hides the cost. Jobs
 * per second would depend more on what else the machine does.
 *
 *     npx tsx bench/telemetry.ts [jobs, default 4000] [rounds, default 5]
 */
import { once, type OnceOptions } from '@sendonce/bullmq';
import { sendonceTelemetry, type Telemetry } from '@sendonce/otel';
import { redisLedger } from '@sendonce/redis';
import { median, startRedis } from '@sendonce/testkit';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const [jobs = 4000, rounds = 5] = process.argv.slice(2).map(Number);

await main();

async function main(): Promise<void> {
  const server = await startRedis();
  const connection = new Redis(server.url, { maxRetriesPerRequest: null });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const nowhere = {
    export: (_: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
    shutdown: async () => {},
  };
  const traced = (ratio: number) =>
    new BasicTracerProvider({
      sampler: new TraceIdRatioBasedSampler(ratio),
      spanProcessors: [new BatchSpanProcessor(nowhere)],
    });
  const noTraces = { getTracer: () => trace.getTracer('none') };
  const variants: [string, Telemetry][] = [
    ['no SDK registered', sendonceTelemetry()],
    ['metrics', sendonceTelemetry({ meterProvider, tracerProvider: noTraces })],
    ['metrics, 1 trace in 100', sendonceTelemetry({ meterProvider, tracerProvider: traced(0.01) })],
    ['metrics, every trace', sendonceTelemetry({ meterProvider, tracerProvider: traced(1) })],
  ];
  try {
    for (const concurrency of [1, 16]) {
      const options: OnceOptions<Job> = {
        ledger: redisLedger(connection),
        key: ({ id }) => ['n', id],
      };
      const processors = variants.map(
        ([name, telemetry]) =>
          [
            name,
            once(
              telemetry.effect(async () => {}),
              telemetry.observe(options),
            ),
          ] as const,
      );
      const plain = once(async () => {}, options);
      const ratios = new Map<string, number[]>(variants.map(([name]) => [name, []]));
      const plains: number[] = [];
      const run = (processor: (job: Job) => Promise<void>) =>
        cpuMicrosPerJob(connection, processor, concurrency);
      await run(plain);
      for (let round = 0; round < rounds; round++) {
        for (const [name, processor] of processors) {
          const without = await run(plain);
          plains.push(without);
          ratios.get(name)!.push((await run(processor)) / without);
        }
      }
      console.log(
        `concurrency ${concurrency}: ${Math.round(median(plains))} us of CPU a job without`,
      );
      for (const [name, of] of ratios) {
        const [least, most] = [Math.min(...of), Math.max(...of)].map((one) => one.toFixed(2));
        console.log(`  ${name}: ${median(of).toFixed(2)} (${least} to ${most})`);
      }
    }
  } finally {
    connection.disconnect();
    await server.stop();
  }
}

async function cpuMicrosPerJob(
  connection: Redis,
  processor: (job: Job) => Promise<void>,
  concurrency: number,
): Promise<number> {
  await connection.flushall();
  const queue = new Queue('q', { connection });
  for (let added = 0; added < jobs; added += 1000) {
    const bulk = Array.from({ length: Math.min(1000, jobs - added) }, () => ({
      name: 'n',
      data: {},
      opts: { removeOnComplete: true },
    }));
    await queue.addBulk(bulk);
  }
  const worker = new Worker('q', processor, { connection, concurrency, autorun: false });
  let done = 0;
  const drained = new Promise<void>((resolve) => {
    worker.on('completed', () => {
      if (++done === jobs) resolve();
    });
  });
  await worker.waitUntilReady();
  const before = process.cpuUsage();
  void worker.run();
  await drained;
  const { user, system } = process.cpuUsage(before);
  await worker.close();
  await queue.close();
  return (user + system) / jobs;
}
