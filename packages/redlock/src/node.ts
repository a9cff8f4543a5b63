import { isSendonceError, type Ledger } from '@sendonce/core';
import type { RedisClient } from '@sendonce/redis';

/** One of the Redis servers. */
export interface Node {
  /** For people: `host:port` where known, else its place in the list. */
  readonly name: string;
  readonly client: RedisClient;
  /** The replica: a whole ledger of its own on this one server. */
  readonly ledger: Ledger;
  /** It let the deadline of an earlier call pass and has not answered since. */
  suspect: boolean;
}

export type Vote<T> =
  | { readonly node: Node; readonly state: 'answered'; readonly reply: T }
  /** No answer that counts. Whether the node executed the call, or will, is unknown. */
  | { readonly node: Node; readonly state: 'silent'; readonly reason: string }
  /** It is not to be asked further: an unreadable record, a client that must not be used. */
  | { readonly node: Node; readonly state: 'refused'; readonly error: unknown };

/**
 * The vote of one node, within our own deadline: a client whose server is down keeps a command in its
 * queue for as long as it likes. An answer that comes later ends the suspicion and is dropped.
 */
export async function voteOf<T>(
  node: Node,
  answer: Promise<T>,
  timeoutMs: number,
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
  return within(timeoutMs, voted, () => {
    node.suspect = true;
    return { node, state: 'silent', reason: `no answer within ${timeoutMs} ms` };
  });
}

/** The answer, or what `onDeadline` makes of its being late. */
export async function within<T>(
  timeoutMs: number,
  answer: Promise<T>,
  onDeadline: () => T,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  try {
    return await Promise.race([answer, deadline.then(onDeadline)]);
  } finally {
    clearTimeout(timer);
  }
}

/** The words of the client, without our own advice around them. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return error.cause instanceof Error ? error.cause.message : error.message;
}
