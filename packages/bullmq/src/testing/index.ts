/**
 * `@sendonce/bullmq/testing`: for the unit tests of your processors. It needs no Redis.
 */
export type { ProcessorOf } from '../once.ts';
export { type FakeJob, fakeJob, type FakeJobOptions } from './fake-job.ts';
export { type JobRun, runJob, type RunJobOptions, runJobs } from './run-job.ts';
