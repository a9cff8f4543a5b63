// Written by `pnpm api`: the public surface of this entry point.

import type { Job } from 'bullmq';
import type { JobsOptions } from 'bullmq';

// @public
export interface FakeJob<D = any, R = any, N extends string = string> extends Job<D, R, N> {
    readonly delayedUntilMs: number | undefined;
    readonly logs: readonly string[];
    readonly movedTo: 'delayed' | 'waiting' | 'waiting-children' | undefined;
}

// @public
export function fakeJob<D, R = any, N extends string = string>(options: FakeJobOptions<D, N>): FakeJob<D, R, N>;

// @public
export interface FakeJobOptions<D, N extends string = string> {
    readonly attemptsMade?: number | undefined;
    readonly attemptsStarted?: number | undefined;
    readonly data: D;
    readonly id?: string | undefined;
    readonly name?: N | undefined;
    readonly opts?: JobsOptions | undefined;
    readonly queueName?: string | undefined;
    readonly repeatJobKey?: string | undefined;
    readonly stalledCounter?: number | undefined;
    readonly timestamp?: number | undefined;
}

// @public
export interface JobRun<R> {
    readonly error: (Error & {
        readonly code?: string | undefined;
    }) | undefined;
    readonly state: 'completed' | 'retried' | 'failed' | 'delayed' | 'waiting' | 'waiting-children';
    readonly value: R | undefined;
}

// @public
export type ProcessorOf<J, R> = (job: J, token?: string, signal?: AbortSignal) => Promise<R>;

// @public
export function runJob<J extends FakeJob, R>(processor: ProcessorOf<J, R>, job: J, options?: RunJobOptions): Promise<JobRun<R>>;

// @public
export interface RunJobOptions {
    readonly signal?: AbortSignal | undefined;
}

// @public
export function runJobs<J extends FakeJob, R>(processor: ProcessorOf<J, R>, jobs: readonly J[]): Promise<JobRun<R>[]>;

