import { OptionError } from '@sendonce/core';
import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq';
import { once, type ProcessorOf } from './once.ts';
import type { OnceOptions } from './options.ts';

export interface OnceWorkerOptions<D, R, N extends string> extends WorkerOptions {
  readonly once: OnceOptions<Job<D, R, N>>;
}

/**
 * A Worker whose every job goes through `once()`, sandboxed processor files included (child
 * processes and worker threads): the claim is held here, in the parent.
 *
 * A file runs elsewhere and cannot mark the point of no return, so it has `before-processor` only.
 * @throws {OptionError} for wrong options, and for `dispatch: 'at-send'` with a file.
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
    // Of BullMQ 6, a backend factory; of BullMQ 5, the class of its connection.
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
      'Expected "processor" to be a function or a file: jobs that are fetched by hand ' +
        '(getNextJob) never pass through the worker. Wrap what handles them in once() or perform().',
    );
  }
  if (options?.dispatch !== 'at-send' || typeof processor === 'function') return;
  throw new OptionError(
    'dispatch',
    'Expected "dispatch" to be "before-processor" for a sandboxed file: it runs in another process ' +
      'or thread, where the claim of this one cannot be dispatched. For "at-send" pass a function.',
  );
}
