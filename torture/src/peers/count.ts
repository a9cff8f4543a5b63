import { deriveKey, type Ledger } from '@sendonce/core';
import type { Queue } from 'bullmq';
import type { Deliveries } from '../deliveries.ts';
import { keyOf, type Notice } from '../email.ts';

/** Of the emails. */
export interface Counts {
  readonly wanted: number;
  readonly left: number;
  /** Never left, and no person can see that. */
  readonly lost: number;
  /** In doubt and listed, or with a job that has failed. */
  readonly needPerson: number;
}

export interface Places {
  readonly deliveries: Deliveries;
  readonly queue: Queue<Notice>;
  /** Missing for a peer. */
  readonly ledger: Ledger | undefined;
}

export async function countEmails(
  numbers: readonly number[],
  { deliveries, queue, ledger }: Places,
): Promise<Counts> {
  const failed = new Set((await queue.getFailed()).map(({ data }) => data.number));
  const inDoubt = new Set<string>();
  for await (const { key } of ledger?.list({ state: 'in-doubt' }) ?? []) inDoubt.add(key);
  const emails = numbers.map((number) => ({
    left: deliveries.countOf(number),
    needsPerson: failed.has(number) || inDoubt.has(deriveKey(keyOf({ number }))),
  }));
  return {
    wanted: emails.length,
    left: emails.reduce((sum, { left }) => sum + left, 0),
    lost: emails.filter(({ left, needsPerson }) => left === 0 && !needsPerson).length,
    needPerson: emails.filter(({ needsPerson }) => needsPerson).length,
  };
}
