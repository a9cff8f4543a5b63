import type { Ledger } from '@sendonce/core';
import { namespace, startPostgres, startRedis } from '@sendonce/testkit';
import type { Redis } from 'ioredis';
import type { Store } from '../system.ts';
import { systems } from '../systems/index.ts';
import { isLedgerName, type SystemName } from '../systems/names.ts';
import { connect, openLedger } from '../systems/open-ledger.ts';

interface MaybeLedger {
  /** Missing for a system without one. */
  readonly ledger: Ledger | undefined;
  readonly close: () => Promise<void>;
}

/**
 * What all cases of one system share. No server dies here. Each case has its own keys and its own
 * queue.
 */
export interface Servers extends MaybeLedger {
  readonly system: SystemName;
  readonly queueUrl: string;
  readonly queue: Redis;
  readonly storeUrls: readonly string[];
  readonly prefix: string;
  /** One under another prefix; nothing is asked of it before its first verb. */
  readonly openLater: (prefix: string) => MaybeLedger;
}

/** The judge shares its cores with all the processes that it judges. */
const PATIENT_MS = 20_000;

export async function startServers(system: SystemName): Promise<Servers> {
  const { store, sharesQueue } = systems[system];
  const started = await Promise.all([startRedis(), ...(sharesQueue ? [] : startStores(store))]);
  const [{ url: queueUrl }, ...apart] = started;
  const storeUrls = sharesQueue ? [queueUrl] : apart.map(({ url }) => url);
  const prefix = namespace('walk');
  const queue = connect(queueUrl);
  const open = (under: string): MaybeLedger =>
    isLedgerName(system)
      ? openLedger(system, storeUrls, { prefix: under, answerWithinMs: PATIENT_MS })
      : noLedger;
  const { ledger, close } = open(prefix);
  // Makes its tables, before all workers want to.
  await ledger?.read('A'.repeat(22));
  return {
    system,
    queueUrl,
    queue,
    storeUrls,
    prefix,
    ledger,
    openLater: open,
    async close() {
      await close();
      queue.disconnect();
      await Promise.all(started.map(({ stop }) => stop()));
    },
  };
}

const noLedger = { ledger: undefined, close: async () => {} };

type Started = { readonly url: string; readonly stop: () => Promise<void> };

function startStores(store: Store): Promise<Started>[] {
  switch (store) {
    case 'none':
      return [];
    case 'redis':
      return [startRedis()];
    case 'redlock':
      return [startRedis(), startRedis(), startRedis()];
    case 'postgres':
      return [startPostgres({ settings: { max_connections: '400' } })];
  }
}
