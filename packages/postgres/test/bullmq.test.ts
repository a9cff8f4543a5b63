import { once } from '@sendonce/bullmq';
import { eventually, namespace } from '@sendonce/testkit';
import { createPostgresBackend, type Job, withBackend } from 'bullmq';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { openSchema } from './database.ts';

const space = openSchema('bullmq');
// BullMQ takes no hyphens in it.
const queues = namespace('queues').replaceAll('-', '_');
afterAll(async () => {
  await space.query(`DROP SCHEMA IF EXISTS ${queues} CASCADE`);
  await space.close();
});

const { Queue, Worker } = withBackend(createPostgresBackend);

test('BullMQ on PostgreSQL: queue and ledger in one database, no Redis, and one email', async () => {
  const connection = { connectionString: space.url, schema: queues, migrate: true };
  const queue = new Queue('notices', { connection });
  onTestFinished(() => queue.close());
  const sent: string[] = [];
  const ledger = space.ledger();
  const processor = once(
    async (job: Job<{ order: number }>) => {
      sent.push(job.id ?? '');
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { messageNumber: sent.length };
    },
    { ledger, key: (job) => ['notice', job.data.order] },
  );
  await queue.waitUntilReady();
  for (let count = 0; count < 2; count++) {
    const worker = new Worker('notices', processor, { connection, concurrency: 8 });
    onTestFinished(() => worker.close());
  }
  const jobs = await queue.addBulk(
    Array.from({ length: 16 }, () => ({ name: 'notice', data: { order: 7 } })),
  );
  await eventually(
    async () => {
      const states = await Promise.all(jobs.map((job) => job.getState()));
      expect(states).toEqual(Array(16).fill('completed'));
    },
    { timeoutMs: 15_000, everyMs: 50 },
  );
  expect(sent).toHaveLength(1);
  expect(processor.counters).toMatchObject({ sent: 1, duplicate: 15 });
  const results = await Promise.all(
    jobs.map(async ({ id }) => (await queue.getJob(id!))?.returnvalue as unknown),
  );
  expect(results).toEqual(jobs.map(() => ({ messageNumber: 1 })));
  expect(await space.query('SELECT state FROM :schema.emails')).toEqual([{ state: 'sent' }]);
});
