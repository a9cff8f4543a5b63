import {
  type Ledger,
  LedgerUnavailableError,
  memoryLedger,
  UnreadableRecordError,
} from '@sendonce/core';
import type { LedgerUnderTest } from './topic.ts';

/**
 * The memory ledger on a fake clock, with every capability. `change` may break it.
 *
 * @example describeLedger('the memory ledger', () => memoryUnderTest());
 */
export function memoryUnderTest(
  change: (ledger: Ledger) => Ledger = (ledger) => ledger,
): LedgerUnderTest {
  let nowMs = Date.now();
  const { ledger: sound, corrupt, stored } = corruptible(memoryLedger({ now: () => nowMs }));
  const ledger = change(sound);
  return {
    ledger,
    other: { ...ledger },
    advance: async (ms) => {
      nowMs += ms;
    },
    lostReply: async (verb) => {
      await verb(ledger);
      throw new LedgerUnavailableError('The reply was lost.');
    },
    corrupt,
    stored,
  };
}

/** Puts bytes in the place of a record: a memory ledger stores no bytes. */
export function corruptible(ledger: Ledger) {
  const bytesByKey = new Map<string, string>();

  function guard<R extends { readonly key: string }, T>(verb: (request: R) => Promise<T>) {
    return async (request: R): Promise<T> => {
      assertReadable(request.key);
      return verb(request);
    };
  }
  function assertReadable(key: string): void {
    if (bytesByKey.has(key)) throw new UnreadableRecordError(key, 'memory');
  }

  const guarded: Ledger = {
    claim: guard((request) => ledger.claim(request)),
    dispatch: guard((request) => ledger.dispatch(request)),
    settle: guard((request) => ledger.settle(request)),
    release: guard((request) => ledger.release(request)),
    resolve: guard((request) => ledger.resolve(request)),
    cancel: guard((request) => ledger.cancel(request)),
    async read(key) {
      assertReadable(key);
      return ledger.read(key);
    },
    async heartbeat(attempts) {
      const replies = await ledger.heartbeat(attempts.filter(({ key }) => !bytesByKey.has(key)));
      const remaining = replies.values();
      return attempts.map(({ key }) =>
        bytesByKey.has(key) ? 'lost' : (remaining.next().value ?? 'lost'),
      );
    },
    async *list(query) {
      const unreadable: string[] = [];
      for await (const record of ledger.list(query)) {
        if (bytesByKey.has(record.key)) unreadable.push(record.key);
        else yield record;
      }
      for (const key of unreadable) assertReadable(key);
    },
  };
  return {
    ledger: guarded,
    corrupt: async (key: string, bytes: string) => void bytesByKey.set(key, bytes),
    stored: async (key: string) => bytesByKey.get(key) ?? JSON.stringify(await ledger.read(key)),
  };
}
