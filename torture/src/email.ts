import { randomNumbers } from '@sendonce/testkit';
import type { JobsOptions } from 'bullmq';

/** How an email is sent, and under which of the modes of once(). */
export type Route = 'at-send' | 'before-processor' | 'provider';

/** One email that a customer shall get once. */
export interface Email {
  readonly number: number;
  readonly route: Route;
  /** How many jobs ask for it. */
  readonly copies: number;
  /** When it is due, in ms from the start. */
  readonly dueMs: number;
  /** Whether the processor throws once after the email left. */
  readonly failsAfterSend: boolean;
  /** Whether the processor decides anew at each run whether to send. */
  readonly skips: boolean;
  /** When it is cancelled, in ms from the start. */
  readonly cancelledMs?: number;
  /** When its waiting jobs are moved, in ms from the start, and to when. */
  readonly moved?: { readonly atMs: number; readonly toMs: number };
}

/** The data of a job: all its copies have the same. */
export type Notice = Pick<Email, 'number' | 'route' | 'failsAfterSend' | 'skips'>;

export function addressOf(number: number): string {
  return `customer-${number}@shop.example`;
}

/** The number of the email in an address, or in a text with one. */
export function numberIn(text: string): number {
  return Number(/customer-(\d+)@/.exec(text)?.[1] ?? -1);
}

/** What is selected from a job as its key. */
export function keyOf({ number }: Pick<Email, 'number'>): unknown[] {
  return ['delivery-notice', `order-${number}`, addressOf(number)];
}

export interface Emails {
  readonly seed: number;
  readonly count: number;
  /** Within how many ms they are due. */
  readonly withinMs: number;
  /**
   * With emails that are skipped, cancelled and moved. @default false, as for what other programs
   * use
   */
  readonly everyday?: boolean;
}

/**
 * The same emails for the same seed; one in fifty is the story in the seed: 32 copies of the job.
 */
export function drawEmails({ seed, count, withinMs, everyday = false }: Emails): Email[] {
  const random = randomNumbers(seed);
  const decide = randomNumbers(seed + 1);
  return Array.from({ length: count }, (_, number): Email => {
    const [size, way, fails] = [random(), random(), random()];
    const dueMs = Math.floor(random() * withinMs);
    return {
      ...(everyday ? decideEveryday({ random: decide, dueMs, withinMs }) : { skips: false }),
      number,
      route: way < 0.5 ? 'at-send' : way < 0.75 ? 'before-processor' : 'provider',
      copies: size < 0.6 ? 1 : size < 0.9 ? 2 : size < 0.98 ? 4 : 32,
      dueMs,
      failsAfterSend: fails < 0.05,
    };
  });
}

/**
 * In one email of ten the processor skips some runs. One in ten is cancelled about when it is due,
 * and one in ten is moved.
 */
function decideEveryday({
  random,
  dueMs,
  withinMs,
}: Everyday): Partial<Email> & { skips: boolean } {
  const [what, when, where] = [random(), random(), random()];
  const aboutThenMs = Math.max(0, Math.floor(dueMs + (when - 0.7) * 3_000));
  if (what < 0.1) return { skips: true };
  if (what < 0.2) return { skips: false, cancelledMs: aboutThenMs };
  if (what >= 0.3) return { skips: false };
  const moved = { atMs: Math.floor(when * dueMs), toMs: Math.floor(where * withinMs) };
  return { skips: when < 0.1, moved };
}

interface Everyday {
  readonly random: () => number;
  readonly dueMs: number;
  readonly withinMs: number;
}

/** The ids of an email's jobs: its copies have nothing else in common than their data. */
export function jobIdsOf({ number, copies }: Email): string[] {
  return Array.from({ length: copies }, (_, copy) => `n${number}c${copy}`);
}

/** The copies of an email's job, for addBulk(). */
export function jobsOf(email: Email, options: JobsOptions) {
  const { number, route, failsAfterSend, skips } = email;
  const data: Notice = { number, route, failsAfterSend, skips };
  return jobIdsOf(email).map((jobId) => ({
    name: 'notice',
    data,
    // Never given up: a job that ends without an email has to say so.
    opts: { attempts: 1_000_000, ...options, jobId },
  }));
}
