import { setTimeout as sleep } from 'node:timers/promises';
import type { Crew } from '../crew.ts';
import type { History } from '../history.ts';
import type { Store } from '../stores.ts';
import type { Fault, FaultKind } from './draw.ts';

export interface Victims {
  readonly crew: Crew;
  /** The queue's Redis and what the system keeps its records in. */
  readonly stores: readonly Store[];
  readonly history: History;
}

export type FaultCounts = Partial<Record<FaultKind, number>>;

/** Strikes each fault at its time; resolves when the last one is over and everything runs again. */
export async function strikeAll(faults: readonly Fault[], victims: Victims): Promise<FaultCounts> {
  const counts: FaultCounts = {};
  const down = new Set<Store>();
  const startedMs = performance.now();
  const running: Promise<void>[] = [];
  for (const fault of faults) {
    const waitMs = fault.atMs - (performance.now() - startedMs);
    if (waitMs > 0) await sleep(waitMs);
    counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
    // A process that died, or a server that is down, meanwhile: the blow goes into the void.
    running.push(strike(fault, victims, down).catch(() => {}));
  }
  await Promise.all(running);
  return counts;
}

async function strike(fault: Fault, victims: Victims, down: Set<Store>): Promise<void> {
  const { crew, stores, history } = victims;
  const { kind, worker, passes, forMs } = fault;
  const who = `worker ${worker}`;
  const store = stores[Math.floor(fault.server * stores.length)]!;
  const onStore = (what: string) => history.note({ who: 'faults', what: `${store.name}: ${what}` });
  switch (kind) {
    case 'kill':
      return crew.kill(worker);
    case 'kill at an await':
      return crew.send(worker, { type: 'aim', aim: { action: 'kill', passes } });
    case 'freeze':
      return crew.freeze(worker, forMs);
    case 'freeze at an await':
      return crew.freezeAt(worker, { action: 'stop', passes }, forMs);
    case 'block the event loop':
      history.note({ who, what: `event loop blocked for ${forMs} ms` });
      return crew.send(worker, { type: 'block', forMs });
    case 'close(true)':
      history.note({ who, what: 'worker.close(true)' });
      return crew.send(worker, { type: 'close' });
    case 'clock jump': {
      const aheadMs = forMs - 10_000;
      history.note({ who, what: `clock ${aheadMs} ms ahead` });
      return crew.send(worker, { type: 'clock', aheadMs });
    }
    case 'kill a server':
      if (down.has(store)) return;
      down.add(store);
      onStore(`killed, back in ${forMs} ms`);
      await store.kill();
      await sleep(forMs);
      await store.restart();
      down.delete(store);
      return;
    case 'cut connections':
      onStore('all connections reset');
      return store.proxy.cut();
    case 'lose a reply': {
      const cut = store.proxy.cutAfterRequest(/./s);
      await Promise.race([cut.struck.then(() => onStore('a reply lost')), sleep(1_000)]);
      return cut.cancel();
    }
    case 'network stalls':
      onStore(`nothing moves for ${forMs} ms`);
      store.proxy.pause();
      await sleep(forMs);
      return store.proxy.resume();
    case 'slow network':
      onStore(`slow for ${forMs} ms`);
      for (let leftMs = forMs; leftMs > 0; leftMs -= 250) {
        store.proxy.pause();
        await sleep(200);
        store.proxy.resume();
        await sleep(50);
      }
      return;
    case 'refuse writes':
      onStore(`writes refused for ${forMs} ms`);
      await store.refuseWrites(true);
      await sleep(forMs);
      return store.refuseWrites(false);
  }
}

/** Undoes the faults that may still be in effect. */
export async function healStores(stores: readonly Store[]): Promise<void> {
  for (const store of stores) {
    store.proxy.resume();
    for (let attempt = 0; ; attempt += 1) {
      try {
        await store.refuseWrites(false);
        break;
      } catch (error) {
        if (attempt > 20) throw error;
        await sleep(250);
      }
    }
  }
}
