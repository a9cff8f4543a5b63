import { onBusyMachine } from '@sendonce/testkit/lateness';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createContext, missingFor } from './context.ts';
import { ledgerTopics } from './topics/index.ts';
import type { LedgerUnderTest } from './topic.ts';

export interface DescribeLedgerOptions {
  /** Runs the cases side by side: for a ledger whose time cannot be made to pass faster. @default false */
  readonly concurrent?: boolean;
}

/**
 * Registers the whole suite as vitest tests. `create` is called once, `close` after the last case.
 *
 * @example describeLedger('the memory ledger', () => ({ ledger, other, advance }))
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
    });
    afterAll(() => underTest?.close?.());

    for (const topic of ledgerTopics) {
      describe(topic.name, () => {
        for (const testCase of topic.cases) {
          test(testCase.title, async ({ skip }) => {
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
