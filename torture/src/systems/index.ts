import type { System } from '../system.ts';
import { advisoryLock } from './advisory-lock.ts';
import { bare, deduplication, jobId } from './bullmq-alone.ts';
import type { SystemName } from './names.ts';
import { nodeIdempotency } from './node-idempotency.ts';
import { powertools } from './powertools.ts';
import { redlockLibrary } from './redlock-library.ts';
import { sendonce } from './sendonce.ts';
import { setNx } from './set-nx.ts';

/** A peer's package is imported when it is opened: every worker process loads this file. */
export const systems: Readonly<Record<SystemName, System>> = {
  redis: sendonce('redis'),
  redlock: sendonce('redlock'),
  postgres: sendonce('postgres'),
  bare,
  'job-id': jobId,
  deduplication,
  'set-nx-lease': setNx('lease'),
  'set-nx-forever': setNx('forever'),
  'redlock-library': redlockLibrary,
  'advisory-lock': advisoryLock,
  powertools,
  'node-idempotency': nodeIdempotency,
};
