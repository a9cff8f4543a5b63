export { once, type OnceProcessor, type ProcessorOf } from './once.ts';
export { Once } from './once-decorator.ts';
export { OnceWorker, type OnceWorkerOptions } from './once-worker.ts';
export type { JobLike, OnceCounters, OnceEvent, OnceOptions } from './options.ts';
