import { OptionError } from '@sendonce/core';
import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq';
import { once, type ProcessorOf } from './once.ts';
import type { OnceOptions } from './options.ts';

/** The options of {@link OnceWorker}: those of BullMQ's `Worker`, and `once`. */
export interface OnceWorkerOptions<D, R, N extends string> extends WorkerOptions {
  /** The options of {@link once}. */
  readonly once: OnceOptions<Job<D, R, N>>;
}

/**
 * A BullMQ `Worker` that wraps every job in {@link once}. It also works with sandboxed processor
 * files (child processes and worker threads): the parent process holds the claim.
 *
 * A file runs in another process or thread and cannot dispatch the claim, so it can only use the
 * mode `before-processor`.
 * @throws {OptionError} for a wrong option, and for `dispatch: 'at-send'` with a file.
 *
 * @example
 * new OnceWorker('notices', new URL('./processor.js', import.meta.url), {
 *   connection,
 *   once: { ledger, key: (job) => ['notice', job.data.orderId] },
 * });
 */
// The defaults are those of BullMQ's own Worker.
// oxlint-disable-next-line typescript/no-explicit-any
export class OnceWorker<D = any, R = any, N extends string = string> extends Worker<D, R, N> {
  readonly #guarded: ProcessorOf<Job<D, R, N>, R>;

  constructor(
    name: string,
    processor: string | URL | Processor<D, R, N>,
    options: OnceWorkerOptions<D, R, N>,
    // In BullMQ 6 a backend factory, in BullMQ 5 the class of the connection.
    ...others: readonly unknown[]
  ) {
    const { once: onceOptions, ...workerOptions } = options;
    const inner = (job: Job<D, R, N>, token?: string, signal?: AbortSignal) =>
      super.callProcessJob(job, token ?? '', signal);
    checkProcessor(processor, onceOptions);
    const guarded = once(inner, onceOptions);
    super(name, processor, workerOptions, ...(others as []));
    this.#guarded = guarded;
  }

  /** Runs the processor under a claim, as {@link once} does. */
  protected override callProcessJob(
    job: Job<D, R, N>,
    token: string,
    signal?: AbortSignal,
  ): Promise<R> {
    return this.#guarded(job, token, signal);
  }
}

function checkProcessor(
  processor: unknown,
  options: { readonly dispatch?: string | undefined },
): void {
  if (processor === null || processor === undefined) {
    throw new OptionError(
      'processor',
      'Expected "processor" to be a function or a file: jobs that you fetch with getNextJob() ' +
        'do not pass through the worker. Wrap the function that handles them in once() or perform().',
    );
  }
  if (options?.dispatch !== 'at-send' || typeof processor === 'function') return;
  throw new OptionError(
    'dispatch',
    'Expected "dispatch" to be "before-processor" for a sandboxed file: it runs in another process ' +
      'or thread, which cannot dispatch the claim of this process. For "at-send" pass a function.',
  );
}
