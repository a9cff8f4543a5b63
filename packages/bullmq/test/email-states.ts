import { readFileSync } from 'node:fs';
import { currentClaim, type Ledger } from '@sendonce/core';
import { registerDispatcher } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { expect } from 'vitest';
import { delayedEmails, once, type QueueLike, skipEmail } from '../src/index.ts';
import { gate, type Job, type Process } from './stage.ts';

export interface Notice {
  readonly order: number;
  readonly text?: string;
}

/** A queue of one test, whose workers begin when they are asked to. */
export interface Desk {
  readonly ledger: Ledger;
  readonly queue: QueueLike<Notice> & {
    getJobCounts(...states: ('wait' | 'active' | 'delayed' | 'prioritized')[]): Promise<object>;
  };
  /** Which order, where several tests share a ledger. */
  readonly order?: number;
  work: (processor: Process) => void;
}

export interface Cell {
  readonly state: string;
  readonly verb: string;
  /** What the verb answers. */
  readonly answer: string;
  /** How many emails have left when everything has come to its end. */
  readonly emails: number;
}

/** The table of the README is the one that is tested. */
export function cellsOfReadme(): Cell[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = readme
    .slice(readme.indexOf('| The email is'))
    .split('\n\n')[0]
    ?.split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/`| \(later\)/g, '')),
    );
  const [head = [], , ...states] = rows ?? [];
  const verbs = head.slice(1);
  return states.flatMap(([state = '', ...cells]) =>
    cells.map((cell, column) => {
      const [answer = '', emails] = cell.split(', ');
      return { state, verb: verbs[column] ?? '', answer, emails: Number(emails?.[0]) };
    }),
  );
}

type Behaviour = 'send' | 'skip' | 'wait' | 'dispatch and wait' | 'reject' | 'doubt' | 'fail';

// Long enough for a question in between on a machine that has other work.
const soon = { delay: 1500 };

/** One email, which can be brought into every state; then a verb; then what left in the end. */
export function openScene({ ledger, queue, order: number = 7, work }: Desk) {
  const order = { order: number };
  const emails = delayedEmails(queue, { ledger, key: (data) => data.order });
  const left: string[] = [];
  const door = gate();
  let next: Behaviour = 'send';
  let working = false;

  async function process(job: Job): Promise<void> {
    const behaviour = next;
    next = 'send';
    if (behaviour === 'fail') throw new Error('connection refused');
    if (behaviour === 'skip') return skipEmail('unsubscribed');
    if (behaviour === 'wait') await door.wait;
    await currentClaim()?.dispatch();
    if (behaviour === 'dispatch and wait') await door.wait;
    if (behaviour === 'reject') throw new Error('550');
    left.push(job.id ?? '');
    if (behaviour === 'doubt') throw new Error('the connection broke after the dot');
  }

  function startWorker(): void {
    if (working) return;
    working = true;
    // A first job that throws before its dispatch is believed.
    registerDispatcher();
    const processor = once(process, {
      ledger,
      key: (job: Job) => job.data.order as number,
      dispatch: 'at-send',
      classify: (error) => (String(error).includes('550') ? 'rejected' : undefined),
    });
    work(processor);
  }

  const state = async () => (await emails.status(order)).state;

  async function run(behaviour: Behaviour, until: string, job = {}): Promise<void> {
    next = behaviour;
    startWorker();
    await emails.schedule(order, { delay: 0, job });
    const reached = async () => {
      const record = await ledger.read(emails.keyOf(order));
      expect(record?.state ?? (await state())).toBe(until);
    };
    await eventually(reached, { everyMs: 5 });
  }

  const ways: Record<string, () => Promise<unknown>> = {
    'never scheduled': async () => {},
    scheduled: () => emails.schedule(order, soon),
    due: () => emails.schedule(order, { delay: 0 }),
    'active, before dispatch': () => run('wait', 'claimed'),
    dispatched: () => run('dispatch and wait', 'dispatched'),
    sent: () => run('send', 'sent'),
    'sent, its job removed': () => run('send', 'sent', { removeOnComplete: true }),
    rejected: () => run('reject', 'rejected'),
    skipped: () => run('skip', 'skipped'),
    'in doubt': () => run('doubt', 'in-doubt'),
    async cancelled() {
      await emails.schedule(order, soon);
      await emails.cancel(order);
    },
    'failed, its job kept': () => run('fail', 'failed'),
    async 'removed from the queue'() {
      const scheduled = await emails.schedule(order, soon);
      const job = await queue.getJob('jobId' in scheduled ? scheduled.jobId : '');
      await job?.remove();
    },
  };
  const verbs: Record<string, () => Promise<string>> = {
    schedule: async () => (await emails.schedule(order, soon)).state,
    reschedule: async () => (await emails.reschedule(order, { delay: 500 })).state,
    cancel: async () => (await emails.cancel(order)).state,
    status: state,
  };

  return {
    emails,
    left,
    bring: (name: string) => ways[name]!(),
    ask: (verb: string) => verbs[verb]!(),
    states: Object.keys(ways),
    verbs: Object.keys(verbs),
    /** Lets everything run to its end. */
    async end(): Promise<number> {
      door.open();
      startWorker();
      await eventually(
        async () => {
          const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized');
          expect(Object.values(counts)).toEqual([0, 0, 0, 0]);
        },
        { timeoutMs: 10_000, everyMs: 10 },
      );
      return left.length;
    },
  };
}
