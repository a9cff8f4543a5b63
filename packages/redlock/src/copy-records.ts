import { withTimeout } from '@sendonce/core/ledger';
import { placesOf, defineScript, encodeRecord, recordLua } from '@sendonce/redis/internal';
import type { LedgerRecord } from '@sendonce/core';
import * as lua from './generated/scripts.ts';
import type { Node } from './node.ts';

const copy = defineScript(recordLua + lua.copy);
const paste = defineScript(recordLua + lua.paste);

/**
 * Gives one node all records that another one has and it has not: outcomes, doubts, cancellations,
 * and, byte by byte, the records of other versions. Rejects if a page of them takes longer than
 * `pageWithinMs`.
 */
export async function copyRecords(
  from: Node,
  to: Node,
  prefix: string,
  pageWithinMs: number,
): Promise<void> {
  const onTimeout = (): never => {
    throw new Error(`a page of records was not copied within ${pageWithinMs} ms`);
  };
  // The 21 characters of a key behind its shard: no index, and nothing of the journal.
  const pattern = `${prefix.replaceAll(/[[\]*?\\^]/g, String.raw`\$&`)}:{?}${'?'.repeat(21)}`;
  let cursor = '0';
  do {
    const page = copy(from.client, [], [cursor, pattern]);
    const [next = '0', ...records] = (await withTimeout(page, pageWithinMs, onTimeout)) as string[];
    const keys: string[] = [];
    const values: string[] = [];
    for (let start = 0; start < records.length; start += 4) {
      const [key = '', ...rest] = records.slice(start, start + 4);
      keys.push(key);
      values.push(...rest);
    }
    if (keys.length > 0) await withTimeout(paste(to.client, keys, values), pageWithinMs, onTimeout);
    cursor = next;
  } while (cursor !== '0');
}

/**
 * Writes an outcome with all its fields to one node. False if that node has a record that forbids
 * it.
 */
export async function pasteOutcome(
  node: Node,
  record: LedgerRecord,
  { prefix, retentionMs }: { readonly prefix: string; readonly retentionMs: number },
): Promise<boolean> {
  const place = placesOf(prefix).record(record.key);
  return (await paste(node.client, [place], [encodeRecord(record), retentionMs, ''])) === 1;
}
