import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deriveKey, type Ledger, memoryLedger } from '../../packages/core/src/index.ts';
import { createToken } from '../../packages/core/src/keys.ts';
import { brokenLedgers, onBusyMachine } from '../../packages/ledger-tests/src/index.ts';
import { mortal, openSchema } from '../../packages/postgres/test/database.ts';
import { redisLedger } from '../../packages/redis/src/index.ts';
import { openNamespace } from '../../packages/redis/test/connections.ts';
import { startNodes } from '../../packages/redlock/test/nodes.ts';
import { type BehaviourStep, type BehaviourVector, executeStep } from '../behaviour.ts';
import { SHORT_MS } from '../behaviour-cases.ts';
import { type BehaviourVectors, makeBehaviour, textOfBehaviour } from '../make-behaviour.ts';

const file = fileURLToPath(new URL('../behaviour-vectors.json', import.meta.url));
const text = readFileSync(file, 'utf8');
const { vectors } = JSON.parse(text) as BehaviourVectors;

test('the file of behaviour vectors is what the memory ledger does today', async () => {
  expect(textOfBehaviour(await makeBehaviour())).toBe(text);
});

test('no two behaviour vectors have the same name', () => {
  expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
});

describe('the memory ledger agrees to the millisecond', () => {
  test.each(vectors)('$name', async ({ attempts, steps }) => {
    let nowMs = 0;
    const ledger = memoryLedger({ now: () => nowMs });
    for (const step of steps) {
      nowMs = step.atMs;
      expect(await executeStep(ledger, attempts, step)).toEqual(expectedOf(step));
    }
  });
});

/** A ledger whose time is real. */
interface Store {
  /** One ledger for the attempt `holder`, one for all others. */
  readonly ledgers: readonly [holder: Ledger, other: Ledger];
  /** Ends what else than time keeps a sender alive. */
  readonly fallSilent?: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const stores: Readonly<Record<string, () => Promise<Store>>> = {
  async Redis() {
    const space = openNamespace('behaviour');
    const open = () => redisLedger(space.connect(), { prefix: space.prefix });
    return { ledgers: [open(), open()], close: () => space.close() };
  },
  async redlock() {
    const nodes = await startNodes(3);
    const open = () => nodes.ledger({ answerWithinMs: 5_000 });
    return { ledgers: [open(), open()], close: () => nodes.close() };
  },
  async PostgreSQL() {
    const space = openSchema('behaviour');
    const [one, other] = [mortal(space), mortal(space)];
    await one.ledger.ready();
    return {
      ledgers: [one.ledger, other.ledger],
      fallSilent: async () => void (await Promise.all([one.die(), other.die()])),
      close: () => space.close(),
    };
  },
};

/** A vector that a ledger does not meet, for a reason that behaviour.md gives. */
const exceptions: Readonly<Record<string, string>> = { redlock: 'cancel from cancelled' };

describe.each(Object.keys(stores))('the %s ledger agrees', (name) => {
  let store: Store | undefined;
  beforeAll(async () => void (store = await stores[name]!()));
  afterAll(() => store?.close());

  const ours = vectors.filter((vector) => !vector.exact && vector.name !== exceptions[name]);
  const timeless = ours.filter(({ steps }) => lastOf(steps).atMs < SHORT_MS);
  const timed = ours.filter(({ steps }) => lastOf(steps).atMs >= SHORT_MS);

  test.each(timeless)('$name', async (vector) => {
    expect(await differencesOf(store!, vector, 1)).toEqual([]);
  });

  // One after the other: the silence of PostgreSQL is the end of all sessions.
  test.each(timed)('$name', async (vector) => {
    await onBusyMachine(async (scale) => {
      expect(await differencesOf(store!, vector, scale)).toEqual([]);
    });
  });
});

test.each(
  brokenLedgers.filter(({ topic }) => /^(settle|release|resolve|cancel|conflict)$/.test(topic)),
)('a vector notices a ledger that $name', async ({ create }) => {
  const { ledger, other, advance } = create();
  const differences = await Promise.all(
    vectors
      .filter(({ steps }) => lastOf(steps).atMs < SHORT_MS)
      .map((vector) =>
        differencesOf({ ledgers: [ledger, other], close: async () => {} }, vector, 1),
      ),
  );
  expect(advance).toBeDefined();
  expect(differences.flat()).not.toEqual([]);
});

/** Runs a vector with fresh keys and tokens. Its times may be longer, and never shorter. */
async function differencesOf(
  { ledgers, fallSilent }: Store,
  vector: BehaviourVector,
  scale: number,
): Promise<string[]> {
  const { attempts, steps } = withFreshKeys(vector);
  const times = new Map<number, number>();
  const differences: string[] = [];
  let atMs = 0;
  for (const [index, step] of steps.entries()) {
    if (step.silence) await fallSilent?.();
    await sleep((step.atMs - atMs) * scale);
    ({ atMs } = step);
    const ledger = step.attempt === 'other' ? ledgers[1] : ledgers[0];
    const scaled = Object.fromEntries(
      Object.entries(attempts).map(([name, { leaseMs, retentionMs, ...rest }]) => [
        name,
        { ...rest, leaseMs: leaseMs * scale, retentionMs: retentionMs * scale },
      ]),
    );
    // As JSON: a field that is undefined is a field that is missing.
    const found = JSON.parse(JSON.stringify(await executeStep(ledger, scaled, step))) as object;
    if (isLike(found, expectedOf(step), times, scale)) continue;
    const [saw, wanted] = [found, expectedOf(step)].map((value) => JSON.stringify(value));
    differences.push(`step ${index + 1}, ${step.verb}: ${saw} instead of ${wanted}`);
  }
  return differences;
}

/**
 * Equal but for the times, which say what they must: the same time, a later one, at most, at least.
 */
function isLike(
  found: unknown,
  wanted: unknown,
  times: Map<number, number>,
  scale: number,
): boolean {
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  const [foundNames, names] = [Object.keys(found), Object.keys(wanted)];
  if (!isDeepStrictEqual(foundNames.toSorted(), names.toSorted())) return false;
  return names.every((name) => {
    const [one, other] = [
      (found as Record<string, unknown>)[name],
      (wanted as Record<string, unknown>)[name],
    ];
    if (typeof one !== 'number' || typeof other !== 'number') {
      return isLike(one, other, times, scale);
    }
    switch (name) {
      case 'atMs': {
        const before = [...times].filter(([wantedMs]) => wantedMs < other);
        if (!times.has(other)) times.set(other, one);
        return times.get(other) === one && before.every(([, foundMs]) => foundMs <= one);
      }
      case 'retryAfterMs':
        return one >= 0 && one <= other * scale + 10;
      case 'dispatchedAgoMs':
        return one >= 0 && one >= other * scale - 10;
      default:
        return one === other;
    }
  });
}

function withFreshKeys(vector: BehaviourVector): BehaviourVector {
  let json = JSON.stringify(vector);
  for (const { key, token } of Object.values(vector.attempts)) {
    json = json.replaceAll(key, deriveKey(createToken())).replaceAll(token, createToken());
  }
  return JSON.parse(json) as BehaviourVector;
}

function expectedOf({ reply, record }: BehaviourStep): object {
  return record === undefined ? { reply } : { reply, record };
}

function lastOf<T>(list: readonly T[]): T {
  return list.at(-1)!;
}
