/**
 * Settles emails in a Redis ledger, many at a time: the ledger puts those of one tick into one
 * command.
 */
import { redisJournal, redisLedger } from '@sendonce/redis';
import { tellParent, workerData } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import type { FillOrder } from './fill.ts';
import { claimOf, claimWon, journalSent, settleSent } from './sent-email.ts';

const AT_ONCE = 1000;
const REPORT_EVERY = 10_000;

const { url, records, texts, journal: wantsJournal } = workerData() as FillOrder;
const client = new Redis(url, { maxRetriesPerRequest: null });
const ledger = redisLedger(client);
const journal = wantsJournal ? redisJournal(client) : undefined;
let begun = 0;
let settled = 0;

async function settleSome(): Promise<void> {
  while (begun < records) {
    const claim = claimOf(++begun, texts);
    await claimWon(ledger, claim);
    await settleSent(ledger, claim, texts);
    if (journal) journalSent(journal, claim, begun);
    if (++settled % REPORT_EVERY === 0) void tellParent({ settled });
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, settleSome));
await journal?.flush();
client.disconnect();
