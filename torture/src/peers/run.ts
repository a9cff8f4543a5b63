import { redisStore, startStores, type Store } from '../stores.ts';
import { systems } from '../systems/index.ts';
import type { SystemName } from '../systems/names.ts';
import { type Fault, type FaultName, faults } from './faults.ts';
import type { Counts } from './count.ts';
import { playScene, type Servers } from './scene.ts';

/** One field of the table. */
export interface Cell {
  readonly system: SystemName;
  readonly fault: FaultName;
  /** Missing where there is nothing to strike. */
  readonly counts?: Counts;
}

export interface PeersOptions {
  readonly systems: readonly SystemName[];
  readonly faults: readonly FaultName[];
  readonly emails: number;
  readonly onCell?: (cell: Cell) => void;
}

export interface PeersRun {
  readonly cells: readonly Cell[];
  /** Which ones, with versions. */
  readonly servers: readonly string[];
}

/** Most of a scene is waiting for locks to run out, so that a few fit on two cores. */
const LANES = 5;

export async function runPeers(options: PeersOptions): Promise<PeersRun> {
  const cells: Cell[] = [];
  const servers = new Set<string>();
  // The last ones take longest.
  const left = options.systems.toReversed();
  const lane = async () => {
    for (let system = left.shift(); system; system = left.shift()) {
      const run = await runSystem(system, options);
      cells.push(...run.cells);
      for (const server of run.servers) servers.add(server);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { cells, servers: [...servers] };
}

async function runSystem(
  system: SystemName,
  { faults: names, emails, onCell }: PeersOptions,
): Promise<PeersRun> {
  const cells: Cell[] = [];
  const queue = await redisStore('queue');
  let stores: Store[] = [];
  try {
    stores = await startStores(systems[system].store);
    for (const fault of names) {
      const cell = await runCell({ system, fault, emails, servers: { queue, stores } });
      cells.push(cell);
      onCell?.(cell);
    }
    return { cells, servers: [queue, ...stores].map(({ how }) => how) };
  } finally {
    for (const store of [queue, ...stores]) await store.stop().catch(() => {});
  }
}

interface CellOptions {
  readonly system: SystemName;
  readonly fault: FaultName;
  readonly emails: number;
  readonly servers: Servers;
}

async function runCell({ system, fault: name, servers, ...options }: CellOptions): Promise<Cell> {
  const fault: Fault = faults[name];
  if (fault.needsStore && servers.stores.length === 0) return { system, fault: name };
  const emails = Math.min(options.emails, fault.emailsAtMost ?? options.emails);
  try {
    const counts = await playScene({ system, servers, emails }, (scene) => fault.strike(scene));
    return { system, fault: name, counts };
  } catch (error) {
    throw new Error(`${system}, ${fault.title}`, { cause: error });
  }
}
