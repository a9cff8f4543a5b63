import { type Attempt, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { redisLedger } from '@sendonce/redis';
import { connect } from '../systems/open-ledger.ts';
import type { Timing } from '../timing.ts';
import type { Scenario } from './scenarios.ts';
import type { Servers } from './servers.ts';

interface Preparation {
  readonly key: string;
  readonly ledger: Ledger;
  readonly servers: Servers;
  readonly timing: Timing;
}

/** Writes what the ledger holds before the job runs. */
export async function prepare(
  { before }: Scenario,
  { key, ledger, servers, timing }: Preparation,
): Promise<void> {
  const { leaseMs, retentionMs } = timing;
  if (before === 'cancelled') await ledger.cancel({ key, retentionMs });
  if (before === 'in doubt') {
    const attempt: Attempt = { key, token: createToken(), leaseMs, retentionMs };
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: 'in-doubt', note: 'ETIMEDOUT' });
  }
  if (before === 'cancelled on one node') {
    // Each node of a redlock ledger is a Redis ledger.
    const node = connect(servers.storeUrls[0]!);
    await redisLedger(node, { prefix: servers.prefix }).cancel({ key, retentionMs });
    node.disconnect();
  }
}
