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
}

/** The data of a job: all its copies have the same. */
export type Notice = Pick<Email, 'number' | 'route' | 'failsAfterSend'>;

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
}

/** The same emails for the same seed; one in fifty is the story in the seed: 32 copies of the job. */
export function drawEmails({ seed, count, withinMs }: Emails): Email[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, (_, number): Email => {
    const [size, way, fails] = [random(), random(), random()];
    return {
      number,
      route: way < 0.5 ? 'at-send' : way < 0.75 ? 'before-processor' : 'provider',
      copies: size < 0.6 ? 1 : size < 0.9 ? 2 : size < 0.98 ? 4 : 32,
      dueMs: Math.floor(random() * withinMs),
      failsAfterSend: fails < 0.05,
    };
  });
}

/** The ids of an email's jobs: its copies have nothing else in common than their data. */
export function jobIdsOf({ number, copies }: Email): string[] {
  return Array.from({ length: copies }, (_, copy) => `n${number}c${copy}`);
}

/** The copies of an email's job, for addBulk(). */
export function jobsOf(email: Email, options: JobsOptions) {
  const { number, route, failsAfterSend } = email;
  const data: Notice = { number, route, failsAfterSend };
  return jobIdsOf(email).map((jobId) => ({
    name: 'notice',
    data,
    // Never given up: a job that ends without an email has to say so.
    opts: { attempts: 1_000_000, ...options, jobId },
  }));
}
