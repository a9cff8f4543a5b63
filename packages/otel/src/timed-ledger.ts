import type { Ledger, Settlement, SettleReply } from '@sendonce/core';
import type { Attempts } from './attempts.ts';
import { typeOfError } from './destination.ts';
import type { Instruments } from './instruments.ts';
import type { Quietly } from './quietly.ts';

interface Meters {
  readonly instruments: Instruments;
  readonly attempts: Attempts;
  readonly quietly: Quietly;
}

/**
 * The same ledger, whose verbs are timed. Replies and errors go through untouched, and what the ledger can do
 * beside the verbs (`onLost`, `settleVia`, `doctor`, a `close()` of its own) it still can. `list` and `doctor` are
 * not timed: how long a list takes is up to who reads it.
 */
export function timedLedger<L extends Ledger>(ledger: L, meters: Meters): L {
  const { instruments, attempts, quietly } = meters;

  async function time<T>(verb: string, token: string | undefined, ask: () => Promise<T>) {
    const startedMs = Date.now();
    const fromMs = performance.now();
    // Taken now: a settle that nobody waits for ends after its attempt.
    const around = token === undefined ? undefined : quietly(() => attempts.contextOf(token));
    const told = (reply: unknown, error?: string) =>
      quietly(() => {
        const tookMs = performance.now() - fromMs;
        const attributes = { 'sendonce.ledger.verb': verb, ...(error && { 'error.type': error }) };
        instruments.ledgerDuration(tookMs / 1000, attributes);
        const timing = { startedMs, tookMs, reply: stateOf(reply), error };
        if (verb === 'claim' && token !== undefined && !error) attempts.claimed(token, timing);
        else if (around) attempts.traceVerb(verb, around, timing);
      });
    try {
      const reply = await ask();
      told(reply);
      return reply;
    } catch (error) {
      told(undefined, typeOfError(error));
      throw error;
    }
  }

  const settle = ({ token }: Settlement, ask: () => Promise<SettleReply>) => {
    quietly(() => attempts.outcomeKnown(token));
    return time('settle', token, ask);
  };

  const verbs: Ledger = {
    claim: (request) => time('claim', request.token, () => ledger.claim(request)),
    dispatch: (attempt) => time('dispatch', attempt.token, () => ledger.dispatch(attempt)),
    settle: (settlement) => settle(settlement, () => ledger.settle(settlement)),
    release(attempt) {
      quietly(() => attempts.outcomeKnown(attempt.token));
      return time('release', attempt.token, () => ledger.release(attempt));
    },
    heartbeat: (beats) => time('heartbeat', undefined, () => ledger.heartbeat(beats)),
    read: (key) => time('read', undefined, () => ledger.read(key)),
    list: (query) => ledger.list(query),
    async resolve(resolution) {
      const reply = await time('resolve', undefined, () => ledger.resolve(resolution));
      const { verdict, means = 'person' } = resolution;
      if (reply.state === 'resolved') {
        const attributes = { 'sendonce.verdict': verdict, 'sendonce.means': means };
        instruments.resolutions(1, attributes);
      }
      return reply;
    },
    cancel: (cancellation) => time('cancel', undefined, () => ledger.cancel(cancellation)),
  };
  // Asked of the original, in its own name: it may refuse to settle for copies of itself.
  const settleVia: Ledger['settleVia'] = async function (this: Ledger, connection) {
    if (this !== timed) return undefined;
    const beside = await ledger.settleVia?.(connection);
    if (!beside) return undefined;
    return (settlement) => {
      const { reply, flushed } = beside(settlement);
      return { reply: settle(settlement, () => reply), flushed };
    };
  };

  const timed = Object.assign(
    Object.create(ledger) as L,
    verbs,
    ledger.onLost && { onLost: ledger.onLost.bind(ledger) },
    ledger.settleVia && { settleVia },
    ledger.doctor && { doctor: ledger.doctor.bind(ledger) },
  );
  return timed;
}

function stateOf(reply: unknown): string | undefined {
  return (reply as { readonly state?: string } | undefined)?.state;
}
