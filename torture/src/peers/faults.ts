import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault as MailFault } from '@sendonce/testkit';
import { peerTiming, type Scene } from './scene.ts';

export interface Fault {
  readonly title: string;
  readonly story: string;
  /** What one would want, in a line. */
  readonly wanted: string;
  /** Left out for a system that keeps nothing. */
  readonly needsStore?: boolean;
  /** Where a few emails tell as much. */
  readonly emailsAtMost?: number;
  /** Makes it happen; what follows is left to the queue and the system. */
  strike(scene: Scene): Promise<void>;
}

const { lockMs, stalledMs, leaseMs } = peerTiming;
/** Past the lock and the two checks that find it gone; every lease is over sooner. */
const PAST_EVERYTHING_MS = lockMs + 2 * stalledMs + 1_500;
const PAST_LEASES_MS = leaseMs + 250;
const COPIES = 32;
const COPIES_IN_TURN = 4;

/** Each is the same for every system: real processes, struck at a moment that they report. */
export const faults = {
  none: {
    title: 'no fault',
    story: 'one job',
    wanted: '1',
    async strike({ startWorker, add }) {
      await startWorker();
      await add();
    },
  },

  'copies-at-once': {
    title: `${COPIES} copies at once`,
    story: `${COPIES} producers add the same email at the same time; two workers`,
    wanted: '1',
    emailsAtMost: 4,
    async strike({ startWorker, add }) {
      await startWorker();
      await startWorker();
      await add({ copies: COPIES });
    },
  },

  'copies-in-turn': {
    title: `${COPIES_IN_TURN} copies in turn, removed`,
    story: `each is added when the one before has completed and every lease is over; \`removeOnComplete\`, as producers use it`,
    wanted: '1: copies that come hours apart are copies',
    emailsAtMost: 4,
    async strike({ startWorker, add, untilIdle }) {
      await startWorker();
      for (let copy = 0; copy < COPIES_IN_TURN; copy += 1) {
        if (copy > 0) await sleep(PAST_LEASES_MS);
        await add({ removeOnComplete: true });
        await untilIdle();
      }
    },
  },

  'added-again': {
    title: 'added again, job kept',
    story:
      'one more copy, when the first has completed and every lease is over; completed jobs stay',
    wanted: '1',
    async strike({ startWorker, add, untilIdle }) {
      await startWorker();
      await add();
      await untilIdle();
      await sleep(PAST_LEASES_MS);
      await add();
    },
  },

  'retry-pressed': {
    title: 'retry pressed',
    story: 'a person retries the completed job, when every lease is over',
    wanted: '1',
    async strike({ startWorker, add, untilIdle, queue }) {
      await startWorker();
      await add();
      await untilIdle();
      await sleep(PAST_LEASES_MS);
      await queue.retryJobs({ state: 'completed' });
    },
  },

  'kill-before': {
    title: 'SIGKILL before the send',
    story: 'in `sendMail()`, before it connects; another worker gets the job',
    wanted: '1, by the redelivery: nothing has left',
    async strike({ holdAll, startWorker }) {
      const victim = await holdAll('before the send');
      await victim.process.kill();
      await startWorker();
    },
  },

  'kill-in-send': {
    title: 'SIGKILL in the send',
    story: 'the mail server has accepted and withholds its reply; another worker gets the job',
    wanted: '1, and perhaps a person: no record can tell that it left',
    async strike({ startWorker, add, deliveries, numbers }) {
      deliveries.smtp.setFault({ at: 'dot-after-accept', how: 'hang', times: numbers.length });
      const victim = await startWorker();
      await add();
      while (numbers.some((number) => deliveries.countOf(number) === 0)) await sleep(5);
      await victim.process.kill();
      await startWorker();
    },
  },

  'kill-after': {
    title: 'SIGKILL after the send',
    story: '`sendMail()` has returned, the job is not acknowledged; another worker gets it',
    wanted: '1: the worker knew that it left',
    async strike({ holdAll, startWorker }) {
      const victim = await holdAll('after the send');
      await victim.process.kill();
      await startWorker();
    },
  },

  freeze: {
    title: 'SIGSTOP before the send',
    story: 'in `sendMail()`, before it connects; SIGCONT when another worker has got the job',
    wanted: '1, from either',
    async strike({ holdAll, startWorker }) {
      const victim = await holdAll('before the send');
      await victim.process.stop();
      await startWorker();
      await sleep(PAST_EVERYTHING_MS);
      victim.tell({ type: 'end hold' });
      victim.process.continue();
    },
  },

  block: {
    title: 'event loop blocked',
    story: 'in `sendMail()`, before it connects, until another worker has got the job',
    wanted: '1, from either',
    async strike({ holdAll, startWorker }) {
      const victim = await holdAll('before the send');
      await startWorker();
      victim.tell({ type: 'block', forMs: PAST_EVERYTHING_MS });
      victim.tell({ type: 'end hold' });
      // Before that it cannot end.
      await sleep(PAST_EVERYTHING_MS);
    },
  },

  'lost-reply': {
    title: "the claim's reply is lost",
    story:
      'the store executes the first command for the email, and the connection is reset before the reply (redlock: on all three nodes)',
    wanted: '1: the claim was won',
    needsStore: true,
    emailsAtMost: 4,
    async strike({ startWorker, add, untilIdle, numbers, stores, prefix }) {
      await startWorker();
      // Scripts are loaded, connections are open.
      await add({ numbers: [numbers.length] });
      await untilIdle();
      for (const number of numbers) {
        const struck = stores.map(async ({ proxy, url }) => {
          const claim = url.startsWith('redis') ? prefix : /\.act\(|pg_advisory_lock/;
          await proxy.cutAfterRequest(claim).struck;
        });
        await add({ numbers: [number] });
        await Promise.all(struck);
        await untilIdle();
      }
    },
  },

  throws: {
    title: 'the processor throws',
    story: 'once, after the send; attempts are left',
    wanted: '1, and the job completes',
    async strike({ startWorker, add }) {
      await startWorker();
      await add({ failsAfterSend: true });
    },
  },

  refused: {
    title: 'the mail server refuses',
    story: '451 after the final dot, once; attempts are left',
    wanted: '1, by the retry: nothing has left',
    strike: (scene) => mailServerFails(scene, { at: 'dot-before-accept', how: '4xx' }),
  },

  'dies-accepted': {
    title: 'the mail server dies, accepted',
    story: 'it has accepted, and resets the connection before its reply, once; attempts are left',
    wanted: '1, and perhaps a person: the worker cannot know',
    strike: (scene) => mailServerFails(scene, { at: 'dot-after-accept', how: 'reset' }),
  },

  'dies-unaccepted': {
    title: 'the mail server dies, unaccepted',
    story: 'the same to the worker, but it had not accepted',
    wanted: '1, or listed for a person',
    strike: (scene) => mailServerFails(scene, { at: 'dot-before-accept', how: 'reset' }),
  },

  close: {
    title: 'worker.close(true)',
    story: 'before the send, which continues; another worker gets the job',
    wanted: '1',
    async strike({ holdAll, startWorker }) {
      const victim = await holdAll('before the send');
      victim.tell({ type: 'close' });
      victim.tell({ type: 'end hold' });
      await startWorker();
    },
  },

  restart: {
    title: 'the store crashes',
    story:
      'before the send, and is back with its data (redlock: all three nodes); then a copy of the job comes',
    wanted: '1',
    needsStore: true,
    async strike({ holdAll, add, stores }) {
      const worker = await holdAll('before the send');
      await Promise.all(stores.map(({ kill }) => kill()));
      await Promise.all(stores.map(({ restart }) => restart()));
      await add();
      worker.tell({ type: 'end hold' });
    },
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

/** Once for each email: all of them are about to send when it begins. */
async function mailServerFails(
  { holdAll, deliveries, numbers }: Scene,
  fault: MailFault,
): Promise<void> {
  const worker = await holdAll('before the send');
  deliveries.smtp.setFault({ ...fault, times: numbers.length });
  worker.tell({ type: 'end hold' });
}
