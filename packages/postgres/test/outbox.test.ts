import { delayedEmails, once } from '@sendonce/bullmq';
import { eventually, startPostgres } from '@sendonce/testkit';
import { createPostgresBackend, type Job, withBackend } from 'bullmq';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { transactionPool } from '../src/index.ts';
import { openSchema } from './database.ts';

interface Notice {
  readonly order: number;
}
// A private server: BullMQ on a pool of the caller's always lives in the schema "bullmq".
const server = await startPostgres();
const space = openSchema('outbox', server.url);
const { Queue, Worker } = withBackend(createPostgresBackend);
const connection = { connectionString: server.url, migrate: true };
const pool = space.pool();
const ledger = space.ledger();
const options = { ledger, key: (notice: Notice) => notice.order };
const queue = new Queue<Notice>('notices', { connection });
const emails = delayedEmails(queue, options);

beforeAll(async () => {
  await queue.waitUntilReady();
  await space.query(`CREATE TABLE orders (id int)`);
});
afterAll(async () => {
  await queue.close();
  await space.close();
  await server.stop();
});

/** An order and its notice in one transaction. */
async function placeOrder(client: PoolClient, order: number, delay = 0) {
  await client.query('BEGIN');
  await client.query(`INSERT INTO orders VALUES ($1)`, [order]);
  const within = new Queue<Notice>('notices', { connection: transactionPool(client) });
  within.on('error', () => {});
  onTestFinished(() => within.close());
  return delayedEmails(within, options).schedule({ order }, { delay });
}

async function connected() {
  const client = await pool.connect();
  onTestFinished(() => client.release());
  return client;
}

const orders = async () =>
  (await space.query<{ id: number }>(`SELECT id FROM orders`)).map(({ id }) => id);

test('rolled back: neither the order nor its notice', async () => {
  const client = await connected();
  expect(await placeOrder(client, 1)).toMatchObject({ state: 'scheduled' });
  // No other session sees it yet.
  expect((await emails.status({ order: 1 })).state).toBe('not-scheduled');
  await client.query('ROLLBACK');
  expect((await emails.status({ order: 1 })).state).toBe('not-scheduled');
  expect(await orders()).not.toContain(1);
});

test('committed: both, and the worker sends it, once', async () => {
  const sent: number[] = [];
  const worker = new Worker<Notice>(
    'notices',
    once(async (job: Job<Notice>) => void sent.push(job.data.order), {
      ledger,
      key: (job) => job.data.order,
    }),
    { connection },
  );
  onTestFinished(() => worker.close());
  const client = await connected();
  const { rows: before } = await client.query('SHOW search_path');
  await placeOrder(client, 2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(sent).toEqual([]);
  // The caller's own statements find their own tables.
  expect((await client.query('SHOW search_path')).rows).toEqual(before);
  await client.query('COMMIT');
  await eventually(async () => expect((await emails.status({ order: 2 })).state).toBe('sent'));
  expect(sent).toEqual([2]);
  expect(await orders()).toContain(2);
});

test('two transactions for the same email: the second waits, and finds the first', async () => {
  const [one, other] = [await connected(), await connected()];
  const hour = 60 * 60 * 1000;
  expect((await placeOrder(one, 3, hour)).state).toBe('scheduled');
  const second = placeOrder(other, 3, hour);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await one.query('COMMIT');
  expect((await second).state).toBe('already-scheduled');
  await other.query('COMMIT');
  expect((await emails.status({ order: 3 })).state).toBe('scheduled');
});

test('two transactions, and the first one is rolled back: the second one schedules it', async () => {
  const [one, other] = [await connected(), await connected()];
  await placeOrder(one, 4);
  const second = placeOrder(other, 4);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await one.query('ROLLBACK');
  expect((await second).state).toBe('scheduled');
  await other.query('COMMIT');
  expect((await emails.status({ order: 4 })).state).not.toBe('not-scheduled');
});

test('a pool instead of a connection is refused', () => {
  expect(() => transactionPool(pool)).toThrow(/"client" to be one connection.*got a pool/);
  expect(() => transactionPool(undefined as never)).toThrow(/got undefined/);
});
