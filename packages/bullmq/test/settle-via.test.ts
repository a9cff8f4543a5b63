import { deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually, startTcpProxy } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import type { Command } from 'ioredis';
import { expect, test } from 'vitest';
import { once, type OnceOptions } from '../src/index.ts';
import { type BullMQ, gate, type Job, onBothVersions, startStage } from './stage.ts';

const isSettle = ({ args }: Command) => args.includes('settle');

type Send = (command: Command) => unknown;

/** What a test does with a command before it leaves; `send` lets it go. */
type Hook = (command: Command, send: () => unknown) => unknown;

/** A queue and a ledger on one server, and a worker whose commands pass by the test. */
async function startScene(bullmq: BullMQ, options: Partial<OnceOptions<Job>> = {}) {
  const stage = startStage(bullmq);
  const { prefix } = stage;
  const sends: string[] = [];
  const events: string[] = [];
  const sent: Command[] = [];
  let hook: Hook = (_command, send) => send();

  const client = stage.client(redisUrl(), { maxRetriesPerRequest: null });
  const sendCommand: Send = client.sendCommand.bind(client);
  client.sendCommand = (command: Command) => {
    sent.push(command);
    return hook(command, () => sendCommand(command));
  };

  const wrapped = once(
    async (job: Job) => {
      sends.push(String(job.data));
      return `sent ${job.data}`;
    },
    {
      ledger: stage.ledger,
      key: (job) => job.data,
      onEvent: ({ type }) => events.push(type),
      ...options,
    },
  );
  const queue = stage.queue();
  const add = (data: string) => queue.add('notice', data);
  const isAck = ({ args }: Command) => args.includes(`${prefix}:q:completed`);

  /**
   * Runs a first job, by which the worker is asked whether its connection leads to the ledger's
   * server.
   */
  async function startWorker() {
    const worker = stage.adopt(
      new bullmq.Worker('q', wrapped, { connection: client, prefix, stalledInterval: 100 }),
    );
    await stage.ended(await add('first'));
    await eventually(async () => {
      const job = await add(`warm ${sent.length}`);
      await stage.ended(job);
      expect(sent.some(isSettle)).toBe(true);
    });
    for (const list of [sent, sends, events]) list.length = 0;
    return worker;
  }
  const worker = await startWorker();
  return {
    ...stage,
    worker,
    wrapped,
    client,
    add,
    ended: (job: Job) => stage.ended(job),
    sends,
    events,
    sent,
    isAck,
    hook: (next: Hook) => void (hook = next),
    /** A second worker, that takes over what the first one has left. */
    takeOver: () =>
      stage.adopt(
        new bullmq.Worker('q', wrapped, {
          connection: stage.connection,
          prefix,
          stalledInterval: 100,
        }),
      ),
  };
}

async function openKeys(ledger: Ledger, state: 'open' | 'in-doubt' = 'open'): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of ledger.list({ state })) keys.push(key);
  return keys;
}

onBothVersions((bullmq) => {
  test('the outcome goes out on the connection of the worker, directly before the acknowledgement', async () => {
    const { add, ended, sent, isAck, ledger } = await startScene(bullmq);
    const job = await add('one');
    expect((await ended(job)).returnvalue).toBe('sent one');
    const last = sent.findLastIndex(isAck);
    expect(isSettle(sent[last - 1]!)).toBe(true);
    expect(await openKeys(ledger)).toEqual([]);
  });

  test('each outcome uses the connection of its worker, also if several end in the same turn of the event loop', async () => {
    const stage = startStage(bullmq);
    const { prefix } = stage;
    let door: ReturnType<typeof gate> | undefined;
    const wrapped = once(async () => door?.wait, {
      ledger: stage.ledger,
      key: (job: Job) => job.data,
    });
    const sentBy = Array.from({ length: 4 }, () => {
      const connection = stage.client(redisUrl(), { maxRetriesPerRequest: null });
      const sendCommand: Send = connection.sendCommand.bind(connection);
      const sent: Command[] = [];
      connection.sendCommand = (command: Command) => {
        sent.push(command);
        return sendCommand(command);
      };
      stage.adopt(new bullmq.Worker('q', wrapped, { connection, prefix, concurrency: 3 }));
      return sent;
    });
    const addOne = () => stage.queue().add('n', createToken(), { jobId: createToken() });
    const add = (count: number) => Promise.all(Array.from({ length: count }, addOne));
    await eventually(async () => {
      await Promise.all((await add(12)).map((job) => stage.ended(job)));
      for (const sent of sentBy) expect(sent.some(isSettle)).toBe(true);
    });

    door = gate();
    for (const sent of sentBy) sent.length = 0;
    const jobs = await add(12);
    await eventually(async () => expect(await stage.queue().getActiveCount()).toBe(12));
    door.open();
    for (const job of jobs) await stage.ended(job);
    for (const { id, data } of jobs) {
      const sent = sentBy.find((list) => list.some((command) => acknowledges(command, id)))!;
      const acknowledged = sent.findIndex((command) => acknowledges(command, id));
      const settled = sent.findIndex(
        (command) => isSettle(command) && command.args.join().includes(deriveKey(data).slice(1)),
      );
      expect(settled).toBeGreaterThan(-1);
      expect(settled).toBeLessThan(acknowledged);
    }

    function acknowledges({ args }: Command, id: string | undefined): boolean {
      return args.includes(`${prefix}:q:completed`) && args.includes(id!);
    }
  });

  test('a connection that dies between the two: the job comes again, and is a duplicate', async () => {
    const scene = await startScene(bullmq);
    const { add, ended, sends, worker, client } = scene;
    const between = gate();
    let settled: Promise<unknown> | undefined;
    scene.hook((command, send) => {
      if (isSettle(command)) return (settled = send() as Promise<unknown>);
      if (!scene.isAck(command) || !settled) return send();
      // Executed, and the acknowledgement never leaves.
      void settled.then(between.open);
      return new Promise(() => {});
    });
    const job = await add('one');
    await between.wait;
    client.disconnect();
    await worker.close(true);
    await scene.redis.del(`${scene.prefix}:q:${job.id}:lock`);
    scene.takeOver();
    const { state, returnvalue, logs } = await ended(job);
    expect([state, returnvalue]).toEqual(['completed', 'sent one']);
    expect(logs.join()).toMatch(/duplicate/);
    expect(sends).toEqual(['one']);
  });

  test('a settle that the connection of the worker does not carry goes by that of the ledger', async () => {
    const { add, ended, events, hook, wrapped } = await startScene(bullmq);
    hook((command, send) =>
      isSettle(command) ? Promise.reject(new Error('Connection is closed.')) : send(),
    );
    await ended(await add('one'));
    expect((await ended(await add('one'))).returnvalue).toBe('sent one');
    expect(events).not.toContain('unrecorded');
    expect(wrapped.counters.duplicate).toBe(1);
  });

  test('the replies to both are lost: the queue sends both again, and the email has left once', async () => {
    const stage = startStage(bullmq);
    const proxy = await startTcpProxy({ url: redisUrl() });
    stage.onEnd(proxy.close);
    const sends: unknown[] = [];
    const wrapped = once(async (job: Job) => void sends.push(job.data), {
      ledger: stage.ledger,
      key: (job) => job.data,
    });
    const connection = { ...stage.connection, port: Number(new URL(proxy.url).port) };
    stage.adopt(new bullmq.Worker('q', wrapped, { connection, prefix: stage.prefix }));
    const run = async (data: string) => stage.ended(await stage.queue().add('notice', data));
    await run('first');
    await run('second');
    const cut = proxy.cutAfterRequest('\r\nsettle\r\n');
    expect((await run('third')).state).toBe('completed');
    await cut.struck;
    expect(sends).toEqual(['first', 'second', 'third']);
    expect(await openKeys(stage.ledger)).toEqual([]);
  });

  test('if neither connection records the outcome, the email is listed in doubt, is not sent again, and is recorded as sent when the ledger is back', async () => {
    const scene = await startScene(bullmq, { leaseMs: 200 });
    const { add, ended, events, sends, redis, ledger } = scene;
    const refuse = () => Promise.reject(new Error('Connection is closed.'));
    let away = true;
    scene.hook((command, send) => (away && isSettle(command) ? refuse() : send()));
    const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    redis.evalsha = (sha: string, ...args: unknown[]) =>
      away && args.includes('settle') ? refuse() : evalsha(sha, ...args);
    expect((await ended(await add('one'))).state).toBe('completed');
    await eventually(() => expect(events).toContain('unrecorded'));
    await eventually(async () => expect(await openKeys(ledger, 'in-doubt')).toHaveLength(1));
    expect((await ended(await add('one'))).failedReason).toMatch(/in doubt/);
    // Only the sender knows, and it continues: its outcome ends the doubt.
    away = false;
    await eventually(async () => expect(await openKeys(ledger)).toEqual([]), { timeoutMs: 5_000 });
    expect((await ended(await add('one'))).returnvalue).toBe('sent one');
    expect(sends).toEqual(['one']);
  });

  test('a wrapper of the ledger that leaves settleVia out records every outcome by its own settle()', async () => {
    const stage = startStage(bullmq);
    let settled = 0;
    const ledger = {
      ...stage.ledger,
      settle: (settlement: Parameters<typeof stage.ledger.settle>[0]) => {
        settled += 1;
        return stage.ledger.settle(settlement);
      },
    };
    delete ledger.settleVia;
    stage.worker(once(async () => 'sent', { ledger, key: (job: Job) => job.data }));
    for (let n = 1; n <= 3; n++) await stage.ended(await stage.queue().add('notice', n));
    expect(settled).toBe(3);
  });
});
