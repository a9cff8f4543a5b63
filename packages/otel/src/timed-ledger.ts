import type { Ledger, Resolution, ResolveReply, Settlement, SettleReply } from '@sendonce/core';
import type { AttemptTracker } from './attempts.ts';
import { errorType } from './destination.ts';
import type { Instruments } from './instruments.ts';
import type { Safely } from './safely.ts';

interface Meters {
  readonly instruments: Instruments;
  readonly attempts: AttemptTracker;
  readonly safely: Safely;
}

/**
 * Wraps a ledger so that its verbs are timed. Replies and errors stay as they are, and so does all
 * that the ledger can do besides: `onLost`, `settleVia`, `doctor`, its own `close()`. `list`
 * and `doctor` are not timed: the time that a list takes depends on its reader.
 */
export function timedLedger<L extends Ledger>(ledger: L, meters: Meters): L {
  const { instruments, attempts, safely } = meters;
  const time = createTimer(meters);

  /** Times a settlement, however it reaches the ledger. */
  function settle({ token }: Settlement, send: () => Promise<SettleReply>): Promise<SettleReply> {
    safely(() => attempts.onOutcomeKnown(token));
    return time('settle', token, send);
  }

  function countResolution({ verdict, means }: Resolution, reply: ResolveReply): void {
    if (reply.state !== 'resolved') return;
    const attributes = { 'sendonce.verdict': verdict, 'sendonce.means': means ?? 'person' };
    instruments.resolutions(1, attributes);
  }

  const verbs: Ledger = {
    claim: (request) => time('claim', request.token, () => ledger.claim(request)),
    dispatch: (attempt) => time('dispatch', attempt.token, () => ledger.dispatch(attempt)),
    settle: (settlement) => settle(settlement, () => ledger.settle(settlement)),
    release(attempt) {
      safely(() => attempts.onOutcomeKnown(attempt.token));
      return time('release', attempt.token, () => ledger.release(attempt));
    },
    heartbeat: (renewed) => time('heartbeat', undefined, () => ledger.heartbeat(renewed)),
    read: (key) => time('read', undefined, () => ledger.read(key)),
    list: (query) => ledger.list(query),
    async resolve(resolution) {
      const reply = await time('resolve', undefined, () => ledger.resolve(resolution));
      countResolution(resolution, reply);
      return reply;
    },
    cancel: (cancellation) => time('cancel', undefined, () => ledger.cancel(cancellation)),
  };

  const settleVia: NonNullable<Ledger['settleVia']> = async (connection) => {
    const send = await ledger.settleVia?.(connection);
    return (
      send &&
      ((settlement) => {
        const { reply, flushed } = send(settlement);
        return { reply: settle(settlement, () => reply), flushed };
      })
    );
  };

  return Object.assign(
    Object.create(ledger) as L,
    verbs,
    ledger.onLost && { onLost: ledger.onLost.bind(ledger) },
    ledger.settleVia && { settleVia },
    ledger.doctor && { doctor: ledger.doctor.bind(ledger) },
  );
}

type Timer = <T>(verb: string, token: string | undefined, send: () => Promise<T>) => Promise<T>;

/** Records how long a verb took, and adds its span to that of its attempt. */
function createTimer({ instruments, attempts, safely }: Meters): Timer {
  return async (verb, token, send) => {
    const startedMs = Date.now();
    const startMs = performance.now();
    // Read before the verb: a settle that nothing waits for is answered after its attempt has
    // ended.
    const attemptContext =
      token === undefined ? undefined : safely(() => attempts.findContext(token));

    function record(reply: unknown, error?: string): void {
      const tookMs = performance.now() - startMs;
      const attributes = { 'sendonce.ledger.verb': verb, ...(error && { 'error.type': error }) };
      instruments.ledgerDuration(tookMs / 1000, attributes);
      const timing = { verb, startedMs, tookMs, reply: readState(reply), error };
      if (verb === 'claim' && token !== undefined && !error) attempts.onClaim(token, timing);
      else if (attemptContext) attempts.traceVerb(attemptContext, timing);
    }

    try {
      const reply = await send();
      safely(() => record(reply));
      return reply;
    } catch (error) {
      safely(() => record(undefined, errorType(error)));
      throw error;
    }
  };
}

function readState(reply: unknown): string | undefined {
  return (reply as { readonly state?: string } | undefined)?.state;
}
