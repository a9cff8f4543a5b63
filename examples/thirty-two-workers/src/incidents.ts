import { storeOf } from './guards.ts';
import type { ScenarioId } from './scenarios.ts';
import type { Stage } from './stage.ts';
import { BLOCKED_MS, FROZEN_AT_LEAST_MS, FROZEN_AT_MOST_MS } from './timing.ts';
import { until } from './until.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What goes wrong in a cell, once. Everything that follows is left to the queue and the guard. */
export interface Incident {
  /** Called for the first run that is about to send. Decides how that run continues. */
  readonly atFirstSend?: (worker: number) => Promise<'killed' | { readonly blockMs?: number }>;
  /** The server has accepted the first email, and has not replied yet. */
  readonly atFirstEmail?: (worker: number) => void;
  /** Calls back when the connection to the guard's store was cut. */
  readonly onCut?: (listener: () => void) => void;
}

type Prepare = (stage: Stage, pool: WorkerPool) => Incident;

const nothing: Prepare = () => ({});

export const incidents: Readonly<Record<ScenarioId, Prepare>> = {
  copies: nothing,
  // The processor itself throws, see `failsAfterSend`.
  'error-after': nothing,

  blocked: () => ({ atFirstSend: async () => ({ blockMs: BLOCKED_MS }) }),

  'killed-before': (_stage, pool) => ({
    async atFirstSend(worker) {
      pool.kill(worker);
      return 'killed';
    },
  }),

  'killed-after'({ smtp }, pool) {
    smtp.setFault({ at: 'dot-after-accept', how: 'hang', times: 1 });
    return { atFirstEmail: (worker) => pool.kill(worker) };
  },

  'connection-dies'({ smtp }) {
    smtp.setFault({ at: 'dot-after-accept', how: 'reset', times: 1 });
    return {};
  },

  frozen: (stage, pool) => ({
    async atFirstSend(worker) {
      await pool.freeze(worker);
      void thawLater(stage, pool, worker);
      // The worker reads this when it continues.
      return {};
    },
  }),

  'lost-reply'({ proxy, plan }) {
    // The first command that names a key of the guard is its claim; in PostgreSQL a call of that
    // name.
    const inPostgres = storeOf(plan.guard) === 'postgres';
    const cut = proxy?.cutAfterRequest(inPostgres ? /\.act\(|pg_advisory_lock/ : plan.guardPrefix);
    return { onCut: (listener) => void cut?.struck.then(listener) };
  },
};

async function thawLater(stage: Stage, pool: WorkerPool, worker: number): Promise<void> {
  const frozenMs = Date.now();
  const isTime = async () =>
    Date.now() - frozenMs >= FROZEN_AT_LEAST_MS && (await stage.jobsAreOver());
  await until(isTime, FROZEN_AT_MOST_MS);
  pool.thaw(worker);
}
