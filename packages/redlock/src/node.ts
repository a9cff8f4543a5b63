import { isSendonceError, type Ledger } from '@sendonce/core';
import { withoutErrorPage, withTimeout } from '@sendonce/core/ledger';
import type { RedisClient } from '@sendonce/redis';

/** One of the Redis servers. */
export interface Node {
  /** For people: `host:port` where known, else its place in the list. */
  readonly name: string;
  readonly client: RedisClient;
  /** The replica: a whole ledger on this one server. */
  readonly ledger: Ledger;
  /** It let the deadline of an earlier call pass and has not answered since. */
  suspect: boolean;
}

export type Vote<T> =
  | { readonly node: Node; readonly state: 'answered'; readonly reply: T }
  /** No answer that counts. Whether the node executed the call, or will, is unknown. */
  | { readonly node: Node; readonly state: 'silent'; readonly reason: string }
  /** It must not be asked again: an unreadable record, a client that must not be used. */
  | { readonly node: Node; readonly state: 'refused'; readonly error: unknown };

/**
 * The vote of one node, within our own deadline: a client whose server is down keeps a command in
 * its queue for as long as it likes. An answer that comes later ends the suspicion and is dropped.
 */
export async function voteOf<T>(
  node: Node,
  answer: Promise<T>,
  answerWithinMs: number,
): Promise<Vote<T>> {
  const voted = answer.then(
    (reply): Vote<T> => {
      node.suspect = false;
      return { node, state: 'answered', reply };
    },
    (error: unknown): Vote<T> => {
      const isFinal =
        isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD') ||
        isSendonceError(error, 'SENDONCE_OPTION');
      if (isFinal) return { node, state: 'refused', error };
      return { node, state: 'silent', reason: reasonOf(error) };
    },
  );
  return withTimeout(voted, answerWithinMs, () => {
    node.suspect = true;
    return { node, state: 'silent', reason: `no answer within ${answerWithinMs} ms` };
  });
}

/** The words of the client, without our own advice around them. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return withoutErrorPage(error.cause instanceof Error ? error.cause.message : error.message);
}
