import { beforeAll, describe, expect, test } from 'vitest';
import { currentClaim, deriveKey, memoryLedger, perform } from '../src/index.ts';
import { registerDispatcher } from '../src/store/index.ts';

beforeAll(registerDispatcher);

const ledger = memoryLedger();
let count = 0;
const freshKey = () => deriveKey(['current-claim', ++count]);

test('outside of a processor there is no claim', () => {
  expect(currentClaim()).toBeUndefined();
});

test('the claim is current in everything that the effect awaits or starts, and nowhere else', async () => {
  const key = freshKey();
  const keys: (string | undefined)[] = [];
  let late: Promise<void> | undefined;
  const performed = perform(
    async (claim) => {
      expect(currentClaim()).toBe(claim);
      await new Promise((resolve) => setTimeout(resolve, 5));
      keys.push(currentClaim()?.key);
      late = (async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        keys.push(currentClaim()?.key);
      })();
    },
    { ledger, key },
  );
  expect(currentClaim()).toBeUndefined();
  await performed;
  await late;
  expect(keys).toEqual([key, key]);
  expect(currentClaim()).toBeUndefined();
});

test('two effects at the same time have each its own claim', async () => {
  const run = async (key: string) =>
    perform(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return currentClaim()?.key;
      },
      { ledger, key },
    );
  const keys = [freshKey(), freshKey(), freshKey()];
  const performed = await Promise.all(keys.map(run));
  expect(performed.map((one) => one.state === 'sent' && one.value)).toEqual(keys);
});

test('two copies of the package share one storage, or a dispatch would be skipped silently', async () => {
  const url = '../src/claim.ts?second-copy';
  const copy = (await import(url)) as typeof import('../src/claim.ts');
  expect(copy.currentClaim).not.toBe(currentClaim);
  await perform(
    (claim) => {
      expect(copy.currentClaim()).toBe(claim);
      copy.runWithClaim({ claim: { ...claim, key: 'inner' } }, () => {
        expect(currentClaim()?.key).toBe('inner');
      });
      expect(currentClaim()).toBe(claim);
    },
    { ledger, key: freshKey() },
  );
});

describe('one claim inside the other, of the same email', () => {
  const key = deriveKey(['notice', 7]);

  test('at-send: the inner one is refused at once, and nothing was sent', async () => {
    const ledger = memoryLedger();
    const inner = () => perform(() => 'sent', { ledger, key });
    const outer = perform(inner, { ledger, key, dispatch: 'at-send' });
    await expect(outer).rejects.toMatchObject({
      code: 'SENDONCE_PROCESSOR',
      mayHaveLeft: 'no',
      message: expect.stringContaining('twice, one claim inside the other'),
    });
    expect(await ledger.read(key)).toBeUndefined();
  });

  test('before-processor: in doubt with that error, and not busy for ever', async () => {
    const ledger = memoryLedger();
    const performed = await perform(() => perform(() => 'sent', { ledger, key }), { ledger, key });
    expect(performed).toMatchObject({ state: 'in-doubt', error: { code: 'SENDONCE_PROCESSOR' } });
  });

  test('of two ledgers both hold their own claim, and the email leaves', async () => {
    const [one, other] = [memoryLedger(), memoryLedger()];
    const inner = () => perform(() => 'sent', { ledger: other, key });
    expect(await perform(inner, { ledger: one, key })).toMatchObject({ state: 'sent' });
  });
});
