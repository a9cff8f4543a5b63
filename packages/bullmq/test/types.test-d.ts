/**
 * Compiled, never run: what `once()` must accept and refuse. `tsc -p tsconfig.json` is the test.
 */
/* oxlint-disable no-new */
import type { Ledger } from '@sendonce/core';
import { type Job, type Processor, type Queue, Worker } from 'bullmq';
import {
  type Job as Job5,
  type Processor as Processor5,
  type Queue as Queue5,
  Worker as Worker5,
} from 'bullmq5';
import {
  type DelayedEmails,
  delayedEmails,
  Once,
  once,
  type OnceProcessor,
  OnceWorker,
} from '../src/index.ts';

declare const ledger: Ledger;
declare const connection: { host: string };

interface Notice {
  orderId: string;
  to: string;
}
interface Sent {
  messageId: string;
}
type Names = 'delivery' | 'delay';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assert<_T extends true>(): void {}

// An annotated processor, named jobs included, on both versions.
declare const annotated: Processor<Notice, Sent, Names>;
declare const annotated5: Processor5<Notice, Sent, Names>;
new Worker<Notice, Sent, Names>('q', once(annotated, { ledger, key: (job) => job.data.orderId }), {
  connection,
});
new Worker5<Notice, Sent, Names>(
  'q',
  once(annotated5, { ledger, key: (job) => job.data.orderId }),
  {
    connection,
  },
);

// `job` in the options is the job of the processor.
once(annotated, {
  ledger,
  key(job) {
    assert<Same<typeof job, Job<Notice, Sent, Names>>>();
    return [job.name, job.data.orderId];
  },
  fingerprint: (job) => ({ to: job.data.to }),
  onEvent: ({ job, type }) => console.log(job.data.to, type),
});

// A call sees that a cancelled email, and a duplicate whose original had no result, have none.
const guarded = once(async (job: Job<Notice>) => ({ messageId: job.data.to }), {
  ledger,
  key: (job) => job.data.orderId,
});
assert<Same<typeof guarded, OnceProcessor<Job<Notice>, { messageId: string }>>>();
assert<Same<Awaited<ReturnType<typeof guarded>>, { messageId: string } | undefined>>();
const result = await guarded({} as Job<Notice>);
assert<Same<typeof result, { messageId: string } | undefined>>();
assert<Same<typeof guarded.counters.duplicate, number>>();
// A Worker with type arguments takes it for what the processor returns, one without sees the truth.
new Worker<Notice, Sent>('q', guarded, { connection });
new Worker<Notice, Sent | undefined>('q', guarded, { connection });
const inferred = new Worker('q', guarded, { connection });
assert<Same<typeof inferred, Worker<Notice, { messageId: string } | undefined>>>();
const asProcessor: Processor<Notice, Sent> = guarded;
once(asProcessor, { ledger, key: (job) => job.data.orderId });

// A processor without a result.
const silent = once(async (_job: Job<Notice>) => {}, { ledger, key: (job) => job.data.orderId });
new Worker<Notice, void>('q', silent, { connection });
new Worker<Notice>('q', silent, { connection });
new Worker('q', silent, { connection });

// An inline arrow function, its job annotated.
new Worker<Notice, Sent>(
  'q',
  once(async (job: Job<Notice, Sent>) => ({ messageId: job.data.to }), {
    ledger,
    key: (job) => ['notice', job.data.orderId],
  }),
  { connection },
);
new Worker5<Notice, Sent>(
  'q',
  once(async (job: Job5<Notice, Sent>) => ({ messageId: job.data.to }), {
    ledger,
    key: (job) => ['notice', job.data.orderId],
  }),
  { connection },
);

// An inline arrow function whose job comes from the Worker around it.
new Worker<Notice, Sent>(
  'q',
  once(async (job, _token, signal) => ({ messageId: `${job.data.orderId}${signal?.aborted}` }), {
    ledger,
    key: (job) => ['notice', job.data.orderId],
  }),
  { connection },
);
new Worker5<Notice, Sent>(
  'q',
  once(async (job) => ({ messageId: job.data.orderId }), {
    ledger,
    key: (job) => ['notice', job.data.orderId],
  }),
  { connection },
);

// A Worker without types: the job is annotated.
new Worker(
  'q',
  once(async (job: Job) => job.data.anything, { ledger, key: (job) => job.data.id }),
  {
    connection,
  },
);

// OnceWorker: a file, a function, and the job of its options.
new OnceWorker<Notice, Sent, Names>('q', new URL('file:///processor.js'), {
  connection,
  once: { ledger, key: (job) => [job.name, job.data.orderId] },
});
new OnceWorker<Notice, Sent>('q', async (job) => ({ messageId: job.data.to }), {
  connection,
  once: { ledger, key: (job) => job.data.orderId },
});

class Notices {
  readonly ledger = ledger;

  @Once((self: Notices) => ({ ledger: self.ledger, key: (job: Job<Notice>) => job.data.orderId }))
  async process(job: Job<Notice>): Promise<Sent> {
    return { messageId: job.data.to };
  }
}
assert<Same<ReturnType<Notices['process']>, Promise<Sent>>>();

// Options that are computed may be undefined; a resolver of a look-up, too.
declare const maybe: { windowMs: number | undefined; onBusy: 'throw' | undefined };
once(annotated, { ledger, key: () => 1, replayWithinMs: maybe.windowMs, onBusy: maybe.onBusy });

// What must not compile.
const counting = once(async (_job: Job<Notice>) => 7, { ledger, key: () => 1 });
// @ts-expect-error: the result of the processor is not the result of the worker
new Worker<Notice, Sent>('q', counting, { connection });
// @ts-expect-error: no key
once(annotated, { ledger });
// @ts-expect-error: no ledger
once(annotated, { key: (job) => job.data.orderId });
// @ts-expect-error: a word that does not exist
once(annotated, { ledger, key: (job) => job.data.orderId, dispatch: 'at-end' });
// @ts-expect-error: the data has no such field
once(annotated, { ledger, key: (job) => job.data.ordre });
// @ts-expect-error: a file goes through OnceWorker
once('./processor.js', { ledger, key: () => 1 });
// @ts-expect-error: a resolver answers with one of three words
once(annotated, { ledger, key: () => 1, resolver: async () => 'perhaps' });
// @ts-expect-error: the job of an email is the one that runs
once(annotated, { ledger, key: () => 1, job: { queue: 'q', id: '7' } });
// @ts-expect-error: counters are read only
guarded.counters.sent = 7;

// Delayed emails, on the queues of both versions: the key's own parameter is what the verbs need.
declare const queue6: Queue<Notice, Sent, Names>;
declare const queue5: Queue5<Notice>;
const byOrder = delayedEmails(queue6, {
  ledger,
  key: ({ orderId }: Pick<Notice, 'orderId'>) => orderId,
  fingerprint: (notice) => ({ to: notice.to }),
  check: (notice) => notice.to.length,
  job: { attempts: 5, removeOnComplete: true },
});
assert<Same<typeof byOrder, DelayedEmails<Notice, Pick<Notice, 'orderId'>>>>();
void byOrder.cancel({ orderId: '7' });
void byOrder.schedule({ orderId: '7', to: 'x' }, { delay: 5, job: { priority: 2 } });
// @ts-expect-error the job needs all of the data
void byOrder.schedule({ orderId: '7' }, { delay: 5 });
// @ts-expect-error no time
void byOrder.schedule({ orderId: '7', to: 'x' }, {});
// @ts-expect-error two times
void byOrder.schedule({ orderId: '7', to: 'x' }, { delay: 5, at: new Date() });
// @ts-expect-error the key decides
void byOrder.schedule({ orderId: '7', to: 'x' }, { delay: 5, job: { jobId: 'mine' } });

const byAll = delayedEmails(queue5, { ledger, key: (notice) => [notice.orderId, notice.to] });
assert<Same<typeof byAll, DelayedEmails<Notice>>>();
// @ts-expect-error the key reads more than that
void byAll.cancel({ orderId: '7' });
