// The lease of this ledger is a lock of the `redlock` library, because that is the lock its users
// know and chose. The library is used through votes: its "clients" are the nodes' answers to one
// claim, dispatch or heartbeat, which their own ledgers have decided already. So it does what it is
// good at, counting a majority and the time that is left of the lease, and it never writes: its
// scripts know no tokens and no dispatch, it never settles on a tied vote, and it has no deadline
// for a node that is silent.

// A program that compiles this file from elsewhere (the documents do) needs the declaration, too.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./redlock-library.d.ts" />
import Redlock, { type Client, Lock } from 'redlock';
import type { Vote } from './node.ts';

/** What the lock is asked for. */
interface Wanted<T> {
  readonly key: string;
  readonly leaseMs: number;
  readonly isFor: (reply: T) => boolean;
}

/**
 * Takes the lock of one email, as redlock counts it: a majority voted for it, and enough of the
 * lease is left when they have. The lock of a node is the claim in its own ledger, so that it names
 * its token.
 */
export async function acquireLock<T>(
  votes: readonly Promise<Vote<T>>[],
  { key, leaseMs, isFor }: Wanted<T>,
): Promise<boolean> {
  try {
    const lock = await redlockOn(votes, isFor).acquire([key], Math.ceil(leaseMs));
    return lock.expiration > Date.now();
  } catch {
    return false;
  }
}

/** Whether the lock is held, and extended, by a majority. */
export async function extendLock<T>(
  votes: readonly Promise<Vote<T>>[],
  { key, leaseMs, isFor }: Wanted<T>,
): Promise<boolean> {
  const redlock = redlockOn(votes, isFor);
  const lock = new Lock(redlock, [key], '', [], Number.POSITIVE_INFINITY);
  try {
    await redlock.extend(lock, Math.ceil(leaseMs));
    return true;
  } catch {
    return false;
  }
}

/**
 * One redlock for each question: its "clients" are the nodes' votes on it. They come within our
 * deadline, without which the library never settles when one node is silent and the others
 * disagree.
 */
function redlockOn<T>(votes: readonly Promise<Vote<T>>[], isFor: (reply: T) => boolean): Redlock {
  const clients = votes.map((vote): Client => ({
    // The library sends the text of a script where its hash is not known: here the text is a name.
    evalsha: () => Promise.reject(new Error('NOSCRIPT')),
    async eval(verb) {
      // The caller of the lock undoes what a minority granted.
      if (verb === 'release') return 1;
      const voted = await vote;
      return voted.state === 'answered' && isFor(voted.reply) ? 1 : 0;
    },
  }));
  return new Redlock(
    clients,
    { retryCount: 0 },
    {
      acquireScript: () => 'acquire',
      extendScript: () => 'extend',
      releaseScript: () => 'release',
    },
  );
}
