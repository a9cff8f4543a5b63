import type { Type } from '@nestjs/common';
import { type OnceOptions, OnceWorker } from '@sendonce/bullmq';
import type { Job, Processor, Worker, WorkerOptions } from 'bullmq';

/** A class for `BullModule.workerClass`: every worker of the application goes through once(). */
export function guardedWorker(once: OnceOptions<Job>): Type<Worker> {
  return class extends OnceWorker {
    constructor(name: string, processor: Processor, options: WorkerOptions) {
      super(name, processor, { ...options, once });
    }
  };
}
