import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';

const start = 'sendonce-test-';

/**
 * A key prefix that no other test uses: `sendonce-test-<name>-<12 hex digits>`.
 * Pass it to `deleteNamespace` at the end.
 */
export function namespace(name: string): string {
  return `${start}${name}-${randomBytes(6).toString('hex')}`;
}

/** Whether `namespace` made this name: nothing else is ever deleted. */
export function isNamespace(name: string): boolean {
  return new RegExp(`^${start}.*-[0-9a-f]{12}$`).test(name);
}

/**
 * Deletes the keys that begin with the prefix, or with `{` and the prefix, and returns their
 * number. All others stay, which matters where REDIS_URL points at a shared server.
 *
 * Throws a RangeError for a prefix that `namespace` did not make.
 */
export async function deleteNamespace(url: string, prefix: string): Promise<number> {
  if (!isNamespace(prefix)) {
    throw new RangeError(`deleteNamespace: prefix must come from namespace(), got "${prefix}"`);
  }
  const client = new Redis(url);
  try {
    let deleted = 0;
    for (const opening of [prefix, `{${prefix}`]) deleted += await unlinkAll(client, opening);
    return deleted;
  } finally {
    client.disconnect();
  }
}

async function unlinkAll(client: Redis, opening: string): Promise<number> {
  const pattern = `${opening.replace(/[\\*?[\]]/g, '\\$&')}*`;
  let deleted = 0;
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', 1000);
    if (keys.length > 0) deleted += await client.unlink(...keys);
    cursor = next;
  } while (cursor !== '0');
  return deleted;
}
