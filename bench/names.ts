/** What can be measured, in the order in which it is. */
export const partNames = [
  'throughput',
  'cost',
  'latency',
  'memory',
  'look',
  'schedule',
  'cpu',
] as const;

/** Ours first, then what people use instead. */
export const systemNames = [
  'before-processor',
  'at-send',
  'redlock-ledger',
  'postgres-ledger',
  'set-nx',
  'two-sets',
  'three-sets',
  'redlock-x1',
  'redlock-x3',
  'powertools',
  'node-idempotency',
] as const;

/** The last one is measured where it is asked for: it waits, and hides every cost. */
export const processorNames = ['noop', '5ms', 'smtp', 'smtp-50ms'] as const;
export const usualProcessors = ['noop', '5ms', 'smtp'] as const satisfies ProcessorName[];

/** Concurrencies of one worker, and many workers of concurrency 1. */
export const setupNames = ['1', '16', '64', '32-workers'] as const;

export type PartName = (typeof partNames)[number];
export type SystemName = (typeof systemNames)[number];
export type ProcessorName = (typeof processorNames)[number];
export type SetupName = (typeof setupNames)[number];
