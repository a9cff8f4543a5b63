import type { Asked, PostgresClient, PostgresPool, Row } from './pool.ts';

/** One connection of the pool, for as long as the ledger needs it. */
export interface Connection extends Asked {
  /** The backend that greeted us, where the client tells. */
  readonly processID: unknown;
  busy(): boolean;
  /** Resolves when no answer is awaited any more. */
  settled(): Promise<void>;
  /** Closes it because it is not needed. */
  end(): void;
  /** Closes it because it is of no use. */
  lose(error: Error): void;
}

/**
 * Takes a connection out of the pool. A question that is not answered in time loses it, and so does its
 * end by the other side; `onEnd` tells which it was. It does not keep the process alive while nothing is asked.
 */
export async function openConnection(
  pool: PostgresPool,
  answerWithinMs: number,
  onEnd: (lost: boolean) => void,
): Promise<Connection> {
  const client = await connect(pool, answerWithinMs);
  const awaited = new Set<(error: Error) => void>();
  // One at a time: pg 8 warns of a client that is asked while it is being asked, and pg 9 refuses it.
  let last: Promise<unknown> = Promise.resolve();
  let over: Error | undefined;

  function close(lost: boolean, error: Error): void {
    if (over) return;
    over = error;
    // Closed, not given back: the server frees the lock with it, and nobody inherits its settings.
    client.release(true);
    for (const fail of awaited) fail(error);
    // Later, so that the caller has what this function returns.
    queueMicrotask(() => onEnd(lost));
  }
  const lose = (error: Error): void => close(true, error);
  client.on('error', (error) => lose(error ?? new Error('The connection failed.')));
  client.on('end', () => lose(new Error('The connection was closed by the other side.')));

  async function query(text: string, values: unknown[] = []): Promise<{ rows: Row[] }> {
    if (over) throw over;
    let fail = (_error: Error): void => {};
    const failed = new Promise<never>((_resolve, reject) => (fail = reject));
    const timer = setTimeout(() => {
      lose(new Error(`no answer for ${answerWithinMs} ms`));
    }, answerWithinMs);
    awaited.add(fail);
    client.ref?.();
    try {
      const answer = last.then(() => {
        if (over) throw over;
        return client.query(text, values);
      });
      last = answer.catch(() => {});
      return await Promise.race([answer, failed]);
    } finally {
      clearTimeout(timer);
      awaited.delete(fail);
      if (awaited.size === 0 && !over) client.unref?.();
    }
  }

  return {
    processID: (client as { processID?: unknown }).processID,
    query,
    busy: () => awaited.size > 0,
    async settled() {
      while (awaited.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    end: () => close(false, new Error('The session was closed.')),
    lose,
  };
}

async function connect(pool: PostgresPool, withinMs: number): Promise<PostgresClient> {
  const connecting = pool.connect();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // It comes too late, if it comes.
      connecting.then(
        (client) => client.release(true),
        () => {},
      );
      reject(new Error(`the pool gave no connection for ${withinMs} ms: are all of them in use?`));
    }, withinMs);
  });
  try {
    return await Promise.race([connecting, late]);
  } finally {
    clearTimeout(timer);
  }
}
