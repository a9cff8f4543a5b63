import { tellParent } from '@sendonce/testkit/points';
import type { FromWorker } from '../messages.ts';
import type { Tools } from '../system.ts';
import { trueNowMs } from './clock.ts';

/** Sends a message to the parent, if it still exists. */
export function say<M = FromWorker>(message: M): void {
  tellParent(message).catch(() => {});
}

/** Reports a step of an email. */
export const tell: Tools['tell'] = (job, what, token) => {
  const step = { email: job.data.number, job: job.id ?? '?', what, atMs: trueNowMs() };
  say({ type: 'step', step: token === undefined ? step : { ...step, token } });
};

export function fail(error: unknown): void {
  say({ type: 'failed', error: describe(error) });
}

/** Its name and code, and its message where that tells more. */
export function describe(error: unknown): string {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  return code === undefined ? `${name}: ${message?.slice(0, 80)}` : `${name} ${code}`;
}
