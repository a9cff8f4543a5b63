import { type Email, keyOf } from '../email.ts';
import type { System } from '../system.ts';
import { timing } from '../timing.ts';

const alone: Pick<System, 'packages' | 'store' | 'open'> = {
  packages: ['bullmq'],
  store: 'none',
  open: async ({ processor }) => ({ processor, close: async () => {} }),
};

export const bare: System = {
  ...alone,
  title: 'BullMQ, bare',
  setup: 'https://docs.bullmq.io/guide/workers: a Worker with the processor',
};

export const jobId: System = {
  ...alone,
  title: 'BullMQ, jobId',
  setup: 'https://docs.bullmq.io/guide/jobs/job-ids: a jobId made of what the email is',
  jobOptions: (email) => ({ jobId: idOf(email) }),
};

export const deduplication: System = {
  ...alone,
  title: 'BullMQ, deduplication',
  setup:
    'https://docs.bullmq.io/guide/jobs/deduplication, throttle mode: with a ttl it remembers a job that has completed',
  jobOptions: (email) => ({ deduplication: { id: idOf(email), ttl: timing.retentionMs } }),
};

/** Without a colon, which BullMQ keeps for itself. */
function idOf(email: Pick<Email, 'number'>): string {
  return keyOf(email).join('-');
}
