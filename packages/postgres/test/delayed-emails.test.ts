import { namespace } from '@sendonce/testkit';
import { createPostgresBackend, withBackend } from 'bullmq';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
// The same table as on Redis: see the README of @sendonce/bullmq.
import { cellsOfReadme, type Notice, openScene } from '../../bullmq/test/email-states.ts';
import { openSchema } from './database.ts';

const space = openSchema('delayed');
// BullMQ takes no hyphens in it.
const schema = namespace('delayed').replaceAll('-', '_');
const connection = { connectionString: space.url, schema, migrate: true };
const { Queue, Worker } = withBackend(createPostgresBackend);

beforeAll(async () => {
  const queue = new Queue('migrates', { connection });
  await queue.waitUntilReady();
  await queue.close();
});
afterAll(async () => {
  await space.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await space.close();
});

let queues = 0;
function openQueue() {
  const name = `notices${(queues += 1)}`;
  const queue = new Queue<Notice>(name, { connection });
  onTestFinished(() => queue.close());
  return { name, queue };
}

test.each(cellsOfReadme())(
  'BullMQ on PostgreSQL, an email that is $state: $verb answers $answer, emails in the end: $emails',
  async ({ state, verb, answer, emails }) => {
    const { name, queue } = openQueue();
    // One email each: its own ledger would take a schema each.
    const ledger = space.ledger();
    // Connected before anything is soon due.
    await Promise.all([queue.waitUntilReady(), ledger.read('A'.repeat(22))]);
    const scene = openScene({
      ledger,
      queue,
      order: queues,
      work(processor) {
        const worker = new Worker(name, processor, { connection });
        onTestFinished(() => worker.close());
      },
    });
    await scene.bring(state);
    expect(await scene.ask(verb)).toBe(answer);
    expect(await scene.end()).toBe(emails);
  },
);
