import type { ProcessorName, SetupName, SystemName } from './names.ts';

/** One system with one processor in one setup: jobs per second as a ratio to bare BullMQ. */
export interface Cell {
  readonly system: SystemName;
  readonly processor: ProcessorName;
  readonly concurrency: number | '32 workers';
  /** The median over the rounds. */
  readonly ratio: number;
  /** The lowest and the highest round. */
  readonly from: number;
  readonly to: number;
  /** The median of the bare rounds. */
  readonly bareJobsPerSecond: number;
}

export interface ClaimLatency {
  /** Settled emails in the ledger. */
  readonly records: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What people ask, and wait for. */
export interface Look {
  readonly question: string;
  /** Settled emails in the ledger and in the journal. */
  readonly records: number;
  readonly medianMs: number;
  readonly longestMs: number;
  /** For so long one command held up Redis. */
  readonly slowestCommandMs: number;
}

/** A method of `delayedEmails()` beside what BullMQ alone offers for it. */
export interface ScheduleCost {
  readonly call: string;
  readonly beside: string;
  /** Emails per second as a ratio to BullMQ's: the median over the rounds. */
  readonly ratio: number;
  readonly from: number;
  readonly to: number;
  /** CPU of the producer for each email, in microseconds. */
  readonly cpuUs: number;
  readonly bareCpuUs: number;
  /** Commands that Redis executed for each email, also inside scripts. */
  readonly commands: number;
  readonly bareCommands: number;
}

/** The median of the rounds, and the lowest and the highest one. */
export interface Spread {
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

/** What one email costs in CPU, beside bare BullMQ in the same round. */
export interface CpuCost {
  readonly system: string;
  readonly concurrency: Cell['concurrency'];
  /** Emails per second, and CPU of the worker, as ratios to bare BullMQ. */
  readonly throughput: Spread;
  readonly workerCpu: Spread;
  /** CPU for each email, in microseconds. */
  readonly workerUs: number;
  /** Of the Redis of the queue. */
  readonly redisUs: number;
  /** Calls of Redis scripts. */
  readonly scripts: number;
  /** System calls of the worker that read or write. NaN where the system does not count them. */
  readonly readsAndWrites: number;
}

export interface Cost {
  readonly commandsPerEmail: Partial<Record<SystemName, number>>;
  readonly wireBytesPerEmail: Partial<Record<SystemName, number>>;
}

/** What is stored of an email, see `Form`. */
export type MemoryForm = 'withoutTexts' | 'withJob' | 'scheduled' | 'withJournal';

/** What `--json` prints; a part that was not measured is empty. */
export interface Results extends Cost {
  readonly machine: Machine;
  readonly cells: readonly Cell[];
  /** Of Redis, by what is stored of an email. */
  readonly bytesPerEmail: Readonly<Partial<Record<MemoryForm, number>>>;
  readonly claimLatency: readonly ClaimLatency[];
  readonly looks: readonly Look[];
  readonly schedules: readonly ScheduleCost[];
  readonly cpuCosts: readonly CpuCost[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  /** The servers that were measured with. */
  readonly servers: readonly string[];
  readonly packages: Readonly<Record<string, string>>;
}

export interface Setup {
  readonly title: string;
  readonly concurrency: Cell['concurrency'];
  readonly workers: number;
  readonly perWorker: number;
}

const oneWorker = (concurrency: number): Setup => ({
  title: `concurrency ${concurrency}`,
  concurrency,
  workers: 1,
  perWorker: concurrency,
});

export const setups: Readonly<Record<SetupName, Setup>> = {
  '1': oneWorker(1),
  '16': oneWorker(16),
  '64': oneWorker(64),
  '32-workers': { title: '32 workers', concurrency: '32 workers', workers: 32, perWorker: 1 },
};

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
