import { setImmediate as nextTurn } from 'node:timers/promises';
import { MAX_BATCH } from '@sendonce/core/ledger';
import { isStatementError } from './errors.ts';
import type { Row } from './pool.ts';
import { decodeReply, type Operation, type Reply } from './record.ts';

/** Runs operations in one statement. The answer has one row for each of them. */
export type Execute = (operations: readonly Operation[], durable: boolean) => Promise<Row[]>;

/** Runs one operation, together with others. @throws {UnreadableRecordError} */
export type RunOperation = (operation: Operation) => Promise<Reply>;

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts all the operations of one turn of the event loop into one statement, and those that come
 * while a statement is under way into the next. The busier the ledger, the larger the batches, and
 * they share one round trip and one flush to disk. All rows of a batch stay locked until it is
 * committed: a few milliseconds for MAX_BATCH of them.
 */
export function batched(execute: Execute): RunOperation {
  const waiting: Waiting[] = [];
  let isBusy = false;

  async function flush(): Promise<void> {
    // Not the next tick: timers and replies that come together have a tick each.
    await nextTurn();
    while (waiting.length > 0) await executeBatch(execute, waiting.splice(0, MAX_BATCH));
    isBusy = false;
  }

  return (operation) =>
    new Promise((resolve, reject) => {
      waiting.push({ operation, resolve, reject });
      if (isBusy) return;
      isBusy = true;
      void flush();
    });
}

async function executeBatch(execute: Execute, batch: readonly Waiting[]): Promise<void> {
  const operations = batch.map(({ operation }) => operation);
  let rows: Row[];
  try {
    rows = await execute(operations, operations.some(mustBeDurable));
  } catch (error) {
    if (batch.length > 1 && isStatementError(causeOf(error))) {
      // The server rejected one of them, and the others with it: each is run alone.
      for (const one of batch) await executeBatch(execute, [one]);
      return;
    }
    for (const { reject } of batch) reject(error);
    return;
  }
  const rowsByIndex = new Map(rows.map((row) => [Number(row['i']), row]));
  for (const [index, { operation, resolve, reject }] of batch.entries()) {
    try {
      resolve(decodeReply(operation.key, rowsByIndex.get(index)));
    } catch (error) {
      reject(error);
    }
  }
}

/** Whether the reply promises something that must survive a crash of the server. */
function mustBeDurable({ verb, dispatched }: Operation): boolean {
  if (verb === 'claim') return dispatched === true;
  return verb !== 'heartbeat' && verb !== 'read';
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? error.cause : error;
}
