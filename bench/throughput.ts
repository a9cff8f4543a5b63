/**
 * Throughput of once() beside bare BullMQ, in both dispatch modes.
 *
 *     pnpm bench [--jobs 4000] [--rounds 7] [--work-ms 0] [--json]
 */
import { once } from '@sendonce/bullmq';
import { currentClaim } from '@sendonce/core';
import { redisLedger } from '@sendonce/redis';
import { compare, keyOf as key, work } from './compare.ts';

await compare(async ({ connect, prefix }) => {
  const ledger = redisLedger(connect(), { prefix });
  const atSend = async () => {
    await currentClaim()?.dispatch();
    await work();
  };
  return [
    { name: 'before-processor', processor: once(work, { ledger, key }) },
    { name: 'at-send', processor: once(atSend, { ledger, key, dispatch: 'at-send' }) },
  ];
});
