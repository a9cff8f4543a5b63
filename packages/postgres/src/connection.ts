import { withTimeout } from '@sendonce/core/ledger';
import type { PostgresClient, PostgresPool, Queryable, Row } from './pool.ts';

/** One connection of the pool, for as long as the ledger needs it. */
export interface Connection extends Queryable {
  /** The backend that the server named when the connection was opened, if the client knows it. */
  readonly processID: unknown;
  isBusy(): boolean;
  /** Resolves when no query waits for its answer any more. */
  drained(): Promise<void>;
  /** Closes it because it is not needed. */
  end(): void;
  /** Closes it because it is of no use. */
  discard(error: Error): void;
}

/**
 * Takes a connection out of the pool. It is lost when a query is not answered in time, and when the
 * other side ends it; `onEnd` is called with whether it was lost. It keeps the process alive only
 * while a query waits.
 */
export async function openConnection(
  pool: PostgresPool,
  answerWithinMs: number,
  onEnd: (isLost: boolean) => void,
): Promise<Connection> {
  const client = await connect(pool, answerWithinMs);
  const waiting = new Set<(error: Error) => void>();
  // One at a time: pg 8 warns of a query that is sent while another one waits, and pg 9 refuses it.
  let lastAnswer: Promise<unknown> = Promise.resolve();
  let closedBy: Error | undefined;

  function close(isLost: boolean, error: Error): void {
    if (closedBy) return;
    closedBy = error;
    // Closed, not given back: the server frees the lock with it, and no other user inherits its
    // settings.
    client.release(true);
    for (const fail of waiting) fail(error);
    // Later, so that the caller has what this function returns.
    queueMicrotask(() => onEnd(isLost));
  }
  const discard = (error: Error): void => close(true, error);
  client.on('error', (error) => discard(error ?? new Error('The connection failed.')));
  client.on('end', () => discard(new Error('The connection was closed by the other side.')));

  // Not by withTimeout(): a connection that is closed fails its queries as well, and every email
  // waits here.
  async function query(text: string, values: unknown[] = []): Promise<{ rows: Row[] }> {
    if (closedBy) throw closedBy;
    let fail = (_error: Error): void => {};
    const failed = new Promise<never>((_resolve, reject) => (fail = reject));
    const timer = setTimeout(() => {
      discard(new Error(`no answer for ${answerWithinMs} ms`));
    }, answerWithinMs);
    waiting.add(fail);
    client.ref?.();
    try {
      const answer = lastAnswer.then(() => {
        if (closedBy) throw closedBy;
        return client.query(text, values);
      });
      lastAnswer = answer.catch(() => {});
      return await Promise.race([answer, failed]);
    } finally {
      clearTimeout(timer);
      waiting.delete(fail);
      if (waiting.size === 0 && !closedBy) client.unref?.();
    }
  }

  return {
    processID: (client as { processID?: unknown }).processID,
    query,
    isBusy: () => waiting.size > 0,
    async drained() {
      while (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    end: () => close(false, new Error('The session was closed.')),
    discard,
  };
}

function connect(pool: PostgresPool, withinMs: number): Promise<PostgresClient> {
  const connecting = pool.connect();
  return withTimeout(connecting, withinMs, () => {
    // A connection that comes after all must not stay taken out of the pool.
    connecting.then(
      (client) => client.release(true),
      () => {},
    );
    throw new Error(`the pool gave no connection for ${withinMs} ms: are all of them in use?`);
  });
}
