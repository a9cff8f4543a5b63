import { once, type OnceOptions } from '@sendonce/bullmq';
import { dispatchAtSend } from '@sendonce/mail';
import { keyOf, type Route } from '../email.ts';
import type { NoticeJob, NoticeProcessor, System } from '../system.ts';
import type { LedgerName } from './names.ts';
import { openLedger } from './open-ledger.ts';

/** Within the 24 hours for which Resend remembers a key. */
const REPLAY_WITHIN_MS = 20 * 60_000;

const routes: Readonly<Record<Route, Partial<OnceOptions<NoticeJob>>>> = {
  'at-send': { dispatch: 'at-send' },
  'before-processor': {},
  provider: { dispatch: 'at-send', replayWithinMs: REPLAY_WITHIN_MS },
};

export function sendonce(name: LedgerName): System {
  return {
    title: `sendonce, ${name}`,
    packages: [`@sendonce/${name}`],
    setup: 'README of @sendonce/bullmq: once() around the processor, the plugin on its transporter',
    store: name,
    ...(name === 'redis' && { sharesQueue: true }),
    async open({ plan, processor, transporters, tell }) {
      transporters['at-send'].use('stream', dispatchAtSend());
      const { ledger, close } = openLedger(name, plan.storeUrls, { prefix: plan.storePrefix });
      const wrapped = (route: Route): NoticeProcessor =>
        once(processor, {
          ledger,
          key: (job) => keyOf(job.data),
          leaseMs: plan.timing.leaseMs,
          retentionMs: plan.timing.retentionMs,
          onEvent: ({ type, token, job }) => tell(job, type, token),
          ...routes[route],
        });
      const byRoute = {
        'at-send': wrapped('at-send'),
        'before-processor': wrapped('before-processor'),
        provider: wrapped('provider'),
      };
      return {
        processor: (job, token, signal) => byRoute[job.data.route](job, token, signal),
        close,
      };
    },
  };
}
