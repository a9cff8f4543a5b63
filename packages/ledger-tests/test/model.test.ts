import { inThisRun, testSome } from '@sendonce/testkit/vitest';
import { describe, expect, test } from 'vitest';
import { brokenLedgers, checkLedger, describeModel, memoryUnderTest } from '../src/index.ts';

describeModel('the memory ledger', () => memoryUnderTest(), {
  runs: inThisRun({ all: 1_000, sample: 250 }),
});

/**
 * The mistakes that no scenario shows: it has two emails, every record in it can be read, and
 * nothing happens while a list is read.
 */
const invisible = [
  'lists the first page only',
  'pages by rank, which moves when others settle',
  'lists again what gets a heartbeat meanwhile',
  'takes what it cannot read for absent',
  'fails every heartbeat for one unreadable record',
];
const visible = brokenLedgers.map(({ name }) => name).filter((name) => !invisible.includes(name));

/** Only a very busy machine needs so long: the same scenarios run each time. */
const WITHIN_MS = 120_000;

/** What the model says of a ledger that makes a mistake. */
async function failureOf(
  name: string,
  { path = undefined as string | undefined, runs = 5_000 } = {},
): Promise<string | undefined> {
  const broken = brokenLedgers.find((one) => one.name === name);
  if (!broken) throw new Error(`There is no broken ledger that ${name}.`);
  const run = { atOnce: true, runs, seed: 1, path, withinMs: WITHIN_MS };
  return checkLedger(broken.create(), run).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

describe('the model', { timeout: WITHIN_MS }, () => {
  const some = testSome(visible, { name: 'broken ledgers', oneIn: 5 });
  some(
    (name) => `notices a ledger that ${name}`,
    async (name) => {
      expect(await failureOf(name)).toContain('breaks the contract');
    },
  );

  test.each(invisible)('cannot notice a ledger that %s', async (name) => {
    expect(await failureOf(name, { runs: 200 })).toBeUndefined();
  });

  test('prints the shortest failing scenario, one line a step, and how to run it again', async () => {
    const mistake = 'a naive SET NX: does not know its own token';
    const message = (await failureOf(mistake)) ?? '';
    expect(message).toMatch(
      /\nclaim (\w) -> won\nclaim \1 -> busy \(claimed by \1\), the reference says: won\nTo run/,
    );
    expect(message.split('\n')).toHaveLength(4);
    const path = /SENDONCE_SEED=1 SENDONCE_PATH=([\d:]+)$/.exec(message)?.[1];
    expect((await failureOf(mistake, { path }))?.split('\n').slice(1, 3)).toEqual(
      message.split('\n').slice(1, 3),
    );
  });

  test('reports a race whose answers no order explains', async () => {
    const message = await failureOf('asks first and writes then');
    expect(message).toMatch(/\ntogether: claim .* -> won \| .*\nthe reference knows no order/);
    expect(message?.split('\n').length).toBeLessThanOrEqual(5);
  });
});
