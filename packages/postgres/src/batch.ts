import { setImmediate as nextTurn } from 'node:timers/promises';
import { isRefusal } from './errors.ts';
import type { Row } from './pool.ts';
import { type Answer, decodeAnswer, encodeOperations, type Operation } from './record.ts';

/** Runs the function `act`; the answer has one row for each operation. */
export type Act = (operations: string, durable: boolean) => Promise<Row[]>;

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

// All rows of a batch stay locked until it is committed: a few milliseconds at this size.
const LARGEST_BATCH = 250;

/**
 * Makes one query of all the operations of one turn of the event loop, and of those that come while a query
 * is under way: the busier the ledger, the larger the batches, and they share one round trip and one flush to disk.
 */
export function batched(act: Act): (operation: Operation) => Promise<Answer> {
  let waiting: Waiting[] = [];
  let busy = false;

  async function flush(): Promise<void> {
    // Not the next tick: timers and replies that come together have a tick each.
    await nextTurn();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, LARGEST_BATCH);
      waiting = waiting.slice(LARGEST_BATCH);
      await send(act, batch);
    }
    busy = false;
  }

  return (operation) =>
    new Promise((resolve, reject) => {
      waiting.push({ operation, resolve, reject });
      if (busy) return;
      busy = true;
      void flush();
    });
}

async function send(act: Act, batch: readonly Waiting[]): Promise<void> {
  const operations = batch.map(({ operation }) => operation);
  let rows: Row[];
  try {
    rows = await act(encodeOperations(operations), operations.some(mustLast));
  } catch (error) {
    if (batch.length > 1 && isRefusal(causeOf(error))) {
      // One of them was refused, and the others with it: each shall get its own answer.
      for (const one of batch) await send(act, [one]);
      return;
    }
    for (const { reject } of batch) reject(error);
    return;
  }
  const byIndex = new Map(rows.map((row) => [Number(row['i']), row]));
  for (const [index, { operation, resolve, reject }] of batch.entries()) {
    try {
      resolve(decodeAnswer(operation.key, byIndex.get(index) ?? {}));
    } catch (error) {
      reject(error);
    }
  }
}

/** Whether the answer promises something that must survive a crash of the server. */
function mustLast({ verb, dispatched }: Operation): boolean {
  if (verb === 'claim') return dispatched === true;
  return verb !== 'heartbeat' && verb !== 'read';
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? error.cause : error;
}
