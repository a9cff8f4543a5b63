import { afterAll, beforeAll, describe, test } from 'vitest';
import { onBusyMachine } from './busy-machine.ts';
import { createContext, missingFor } from './context.ts';
import { ledgerTopics } from './topics/index.ts';
import type { LedgerUnderTest } from './topic.ts';

/** How {@link describeLedger} runs the cases. */
export interface DescribeLedgerOptions {
  /**
   * Whether the cases run side by side. Set it for a store whose time cannot be made to pass
   * faster: its cases mostly wait. @default false
   */
  readonly concurrent?: boolean | undefined;
}

/** With the longest times of a busy machine, a case waits for about a minute. */
const TIMEOUT_MS = 120_000;

/**
 * Registers the conformance suite as tests of vitest: one case for each row of the transition table
 * in the contract of `Ledger`, and one for each of its rules. Call it at the top level of a test
 * file. A case that needs what the store does not offer (see {@link Capabilities}) is skipped.
 *
 * @param name the title of the whole, for example `the DynamoDB ledger`.
 * @param create opens the store. Called once; its `close` is called after the last case.
 * @example
 * describeLedger('my ledger', () => {
 *   const store = openStore();
 *   return { ledger: myLedger(store), other: myLedger(store), close: () => store.close() };
 * });
 */
export function describeLedger(
  name: string,
  create: () => LedgerUnderTest | Promise<LedgerUnderTest>,
  { concurrent = false }: DescribeLedgerOptions = {},
): void {
  describe(name, { concurrent }, () => {
    let underTest: LedgerUnderTest | undefined;
    beforeAll(async () => {
      underTest = await create();
    }, TIMEOUT_MS);
    afterAll(() => underTest?.close?.(), TIMEOUT_MS);

    for (const topic of ledgerTopics) {
      describe(topic.name, () => {
        for (const testCase of topic.cases) {
          test(testCase.title, { timeout: TIMEOUT_MS }, async ({ skip }) => {
            if (!underTest) throw new Error('The ledger under test was not created.');
            const missing = missingFor(testCase, underTest);
            skip(missing.length > 0, `this ledger offers no ${missing.join(', ')}`);
            const ready = underTest;
            await onBusyMachine((scale) => testCase.run(createContext(ready, scale)));
          });
        }
      });
    }
  });
}
