import type { RedisClient } from './client.ts';

/**
 * Warns once when the server may evict records: an outcome that was evicted is forgotten, and its
 * duplicate is sent. Asks in the background; a server that does not say is not worth a failure.
 */
export async function warnOfEviction(
  client: RedisClient,
  warn: (message: string) => void,
): Promise<void> {
  const info = await client.info('memory').catch(() => '');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return;
  warn(
    `Redis has maxmemory-policy ${policy} and may evict the memory of emails that were sent, whose ` +
      'duplicates would then be sent too. Run `CONFIG SET maxmemory-policy noeviction` and set it ' +
      'in redis.conf or in the console of your provider (BullMQ needs it as well).',
  );
}
