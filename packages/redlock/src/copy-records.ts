import { defineScript } from '@sendonce/redis';
import * as lua from './generated/scripts.ts';
import { type Node, within } from './node.ts';

const copy = defineScript(lua.copy);
const paste = defineScript(lua.paste);

/**
 * Gives one node all that another one remembers and it does not: outcomes, doubts, cancellations.
 * Rejects when a page of them takes longer than `pageWithinMs`.
 */
export async function copyRecords(
  from: Node,
  to: Node,
  prefix: string,
  pageWithinMs: number,
): Promise<void> {
  const late = (): never => {
    throw new Error(`a page of records was not copied within ${pageWithinMs} ms`);
  };
  const pattern = `${prefix.replaceAll(/[[\]*?\\^]/g, String.raw`\$&`)}:{?}*`;
  let cursor = '0';
  do {
    const page = copy(from.client, [], [cursor, pattern]);
    const [next = '0', ...records] = (await within(pageWithinMs, page, late)) as string[];
    const keys: string[] = [];
    const values: string[] = [];
    for (let start = 0; start < records.length; start += 4) {
      const [key = '', ...rest] = records.slice(start, start + 4);
      keys.push(key);
      values.push(...rest);
    }
    if (keys.length > 0) await within(pageWithinMs, paste(to.client, keys, values), late);
    cursor = next;
  } while (cursor !== '0');
}
