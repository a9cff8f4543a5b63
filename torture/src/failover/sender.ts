/**
 * Sends emails through a ledger, some at a time, and writes a line for each that leaves or ends.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { perform } from '@sendonce/core';
import { postgresLedger } from '@sendonce/postgres';
import { Pool } from 'pg';

const AT_A_TIME = 10;
/** As long as a mail server takes to accept one. */
const SENDING_MS = 5;

const [url = '', ...keys] = process.argv.slice(2);
const pool = new Pool({ connectionString: url });
pool.on('error', () => {});
const ledger = postgresLedger(pool, { migrate: false });
await ledger.ready();
await Promise.all(Array.from({ length: AT_A_TIME }, sendAll));
await ledger.close();
await pool.end();

async function sendAll(): Promise<void> {
  for (let key = keys.shift(); key !== undefined; key = keys.shift()) {
    const own = key;
    const effect = async () => {
      // Written at once: the line outlives the process.
      writeSync(1, `left ${own}\n`);
      await sleep(SENDING_MS);
    };
    const { state } = await perform(effect, { ledger, key: own });
    writeSync(1, `ended ${own} ${state}\n`);
  }
}
