import { type Claim, currentClaim, deriveKey, type LedgerRecord } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { expect } from 'vitest';
import type { ExplainOptions } from '../src/explain-options.ts';
import { once } from '../src/index.ts';
import { type BullMQ, gate, type Job, startStage } from './stage.ts';

/** Clocks of two processes, in ms. */
const EARLY_MS = 5;
/**
 * Two busy cores, a poll every 5 ms, BullMQ's own wake-ups, and the 50 ms that a busy job waits at
 * least.
 */
const LATE_MS = 200;

export const key = deriveKey(['notice', 7]);

/** What one send can do; `post` is the email that leaves. */
export interface Sending {
  readonly claim: Claim;
  readonly post: () => void;
  /** Never ends, as for a sender that dies; the test lets it go at its end. */
  readonly hang: () => Promise<never>;
}

/**
 * One run of a configuration: the very options that explain() was asked about, on a real BullMQ and
 * Redis.
 */
export function openScene(bullmq: BullMQ, options: ExplainOptions, scale: number) {
  const stage = startStage(bullmq);
  /** When emails left. */
  const posts: number[] = [];
  /** When the processor began. */
  const runs: number[] = [];

  /** A worker with a separate connection for its claims, so that it can die alone. */
  function worker(send: (sending: Sending) => Promise<unknown>) {
    const client = stage.client();
    const over = gate();
    const hang = () => over.wait.then(() => Promise.reject(new Error('the test is over')));
    const processor = once(
      async (_job: Job) => {
        runs.push(Date.now());
        return send({ claim: currentClaim()!, post: () => void posts.push(Date.now()), hang });
      },
      { ...options.once, ledger: stage.ledgerOn(client), key: (job: Job) => job.data },
    );
    const started = stage.worker(processor, options.worker);
    return {
      counters: processor.counters,
      /** Its heartbeats and its locks end at once, as those of a process that is killed. */
      async die() {
        client.disconnect();
        const atMs = Date.now();
        await started.close(true);
        return atMs;
      },
    };
  }

  const read = (): Promise<LedgerRecord | undefined> => stage.ledger.read(key);
  return {
    options,
    scale,
    stage,
    /** Not before `leastMs`, and soon after `mostMs` at the latest. */
    expectBetween(actualMs: number, leastMs: number, mostMs = leastMs): void {
      expect(actualMs).toBeGreaterThanOrEqual(leastMs - EARLY_MS);
      expect(actualMs).toBeLessThanOrEqual(mostMs + LATE_MS * scale);
    },
    posts,
    runs,
    worker,
    read,
    add: () => stage.queue().add('notice', ['notice', 7], options.job),
    ended: (job: { id?: string | undefined }) => stage.ended(job),
    /**
     * The record once it is in that state, as the ledger has it; undefined: once it is forgotten.
     */
    once: (state: LedgerRecord['state'] | undefined) =>
      soon(async () => {
        const record = await read();
        expect(record?.state).toBe(state);
        return record;
      }),
    /** When the ledger begins to list the email as in doubt. */
    listed: () =>
      soon(async () => {
        const listed = [];
        for await (const record of stage.ledger.list({ state: 'in-doubt' }))
          listed.push(record.key);
        expect(listed).toEqual([key]);
        return Date.now();
      }),
  };
}

/** The same configuration with all its times longer. */
export function scaleOptions(options: ExplainOptions, scale: number): ExplainOptions {
  const longer = (name: string, value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) return scaleAll(value);
    return typeof value === 'number' && isTime.test(name) ? value * scale : value;
  };
  const scaleAll = (group: object): object =>
    Object.fromEntries(Object.entries(group).map(([name, value]) => [name, longer(name, value)]));
  return scaleAll(options);
}

const isTime = /Ms$|^(lockDuration|lockRenewTime|stalledInterval|backoff|delay|age)$/;

export type Scene = ReturnType<typeof openScene>;

export const soon = <T>(assertion: () => T | Promise<T>): Promise<T> =>
  eventually(assertion, { everyMs: 5, timeoutMs: 30_000 });

export const until = (atMs: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, atMs - Date.now()));
