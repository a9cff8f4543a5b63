import { randomNumbers } from '../../packages/testkit/src/random.ts';

/** So many values that a key may be made of, the same for the same seed. */
export function randomInputs(count: number, seed: number): unknown[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => part(random, 3));
}

/** So many finite doubles, by their bits: of every size, and so mostly very large or small. */
export function randomDoubles(count: number, seed: number): number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => accepted(random, double));
}

/** Integers beyond 2^53 - 1 are refused. */
function accepted(random: Random, draw: (random: Random) => number): number {
  for (;;) {
    const value = draw(random);
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  }
}

/** From 0 to 1, without 1. */
type Random = () => number;

function part(random: Random, depth: number): unknown {
  const kinds = depth > 0 ? [text, number, boolean, array, object] : [text, number, boolean];
  return pick(random, kinds)(random, depth - 1);
}

function array(random: Random, depth: number): unknown[] {
  return Array.from({ length: 1 + below(random, 4) }, () => part(random, depth));
}

function object(random: Random, depth: number): Record<string, unknown> {
  const names = Array.from(
    { length: 1 + below(random, 6) },
    () => text(random).slice(1) + text(random),
  );
  // Half a surrogate pair may be left at the cut.
  return Object.fromEntries(names.map((name) => [name.toWellFormed(), part(random, depth)]));
}

function boolean(random: Random): boolean {
  return random() < 0.5;
}

const ranges = [
  [0x00, 0x1f],
  [0x20, 0x7f],
  [0x20, 0x7f],
  [0x80, 0x24f],
  [0x300, 0x36f],
  [0x2000, 0x206f],
  [0xd700, 0xd7ff],
  [0xe000, 0xffff],
  [0x1f300, 0x1f64f],
  [0x10000, 0x10ffff],
] as const;

function text(random: Random): string {
  return Array.from({ length: 1 + below(random, 8) }, () => {
    const [first, last] = pick(random, ranges);
    return String.fromCodePoint(first + below(random, last - first + 1));
  }).join('');
}

function number(random: Random): number {
  const sign = random() < 0.5 ? -1 : 1;
  return sign * accepted(random, pick(random, [small, decimal, scaled, nearLimit, double]));
}

function small(random: Random): number {
  return below(random, 1000);
}

function decimal(random: Random): number {
  return below(random, 1_000_000) / pick(random, [10, 100, 1000, 7]);
}

function scaled(random: Random): number {
  return random() * 10 ** (below(random, 60) - 30);
}

/** Where the form of a number changes, and where integers stop being exact. */
function nearLimit(random: Random): number {
  return (
    pick(random, [1e21, 1e-6, 2 ** 53, 1e16, 1e15, 1e-7]) * (1 + (below(random, 5) - 2) * 2 ** -52)
  );
}

function double(random: Random): number {
  const view = new DataView(new ArrayBuffer(8));
  for (;;) {
    view.setUint32(0, random() * 2 ** 32);
    view.setUint32(4, random() * 2 ** 32);
    const value = view.getFloat64(0);
    if (Number.isFinite(value)) return value;
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[below(random, values.length)] as T;
}

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
