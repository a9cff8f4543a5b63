import { randomNumbers } from '@sendonce/testkit';

/** What is done to the processes, the servers and the network between them. */
export type FaultKind =
  | 'kill'
  | 'kill at an await'
  | 'freeze'
  | 'freeze at an await'
  | 'block the event loop'
  | 'close(true)'
  | 'clock jump'
  | 'kill a server'
  | 'cut connections'
  | 'lose a reply'
  | 'network stalls'
  | 'slow network'
  | 'refuse writes';

export interface Fault {
  readonly kind: FaultKind;
  /** When, in ms from the start. */
  readonly atMs: number;
  /** Which worker. */
  readonly worker: number;
  /** Which server: from 0 up to 1, of all there are. */
  readonly server: number;
  /** How long it lasts. */
  readonly forMs: number;
  /** How many awaits are passed before it strikes. */
  readonly passes: number;
}

/** How often each comes, beside the others. */
const weights: Readonly<Record<FaultKind, number>> = {
  kill: 3,
  'kill at an await': 6,
  freeze: 4,
  'freeze at an await': 4,
  'block the event loop': 3,
  'close(true)': 3,
  'clock jump': 3,
  'kill a server': 1,
  'cut connections': 3,
  'lose a reply': 6,
  'network stalls': 2,
  'slow network': 2,
  'refuse writes': 2,
};

export const faultKinds = Object.keys(weights) as readonly FaultKind[];

/** How long each lasts at most. */
const longestMs: Partial<Record<FaultKind, number>> = {
  freeze: 6_000,
  'freeze at an await': 6_000,
  'block the event loop': 3_500,
  'clock jump': 20_000,
  'kill a server': 2_000,
  'network stalls': 2_500,
  'slow network': 3_000,
  'refuse writes': 1_000,
};

export interface FaultsToDraw {
  readonly seed: number;
  readonly workers: number;
  readonly forMs: number;
  /** @default all */
  readonly kinds?: readonly FaultKind[];
}

/** The same faults for the same seed: about one in ten seconds for each worker. */
export function drawFaults({ seed, workers, forMs, kinds = faultKinds }: FaultsToDraw): Fault[] {
  const random = randomNumbers(seed ^ 0x5eed);
  const faults: Fault[] = [];
  const everyMs = 10_000 / workers;
  // Exponential gaps: faults that come together are the interesting ones.
  for (let atMs = 1_000; atMs < forMs; atMs += -Math.log(1 - random()) * everyMs) {
    const kind = drawKind(random(), kinds);
    faults.push({
      kind,
      atMs: Math.round(atMs),
      worker: Math.floor(random() * workers),
      server: random(),
      forMs: 50 + Math.round(random() * (longestMs[kind] ?? 0)),
      passes: 1 + Math.floor(random() * 300),
    });
  }
  return faults;
}

function drawKind(number: number, kinds: readonly FaultKind[]): FaultKind {
  const all = kinds.reduce((sum, kind) => sum + weights[kind], 0);
  let left = number * all;
  return kinds.find((kind) => (left -= weights[kind]) < 0) ?? kinds[0]!;
}
