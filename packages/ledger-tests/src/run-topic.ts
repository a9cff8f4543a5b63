import { createContext, missingFor } from './context.ts';
import type { LedgerUnderTest, Topic } from './topic.ts';

/** How one case ended. See {@link runTopic}. */
export interface CaseResult {
  /** The title of the case. */
  readonly title: string;
  /** Whether the ledger lacks a capability that the case needs. */
  readonly skipped: boolean;
  /** Why the case failed. Undefined if it passed or was skipped. */
  readonly error?: unknown;
}

/**
 * Runs a topic without any test framework, so that a test can assert that a ledger fails it.
 *
 * @example
 * const results = await runTopic(ledgerTopics[0], underTest);
 * assert.ok(results.some(({ error }) => error !== undefined));
 */
export async function runTopic(topic: Topic, underTest: LedgerUnderTest): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const testCase of topic.cases) {
    const { title } = testCase;
    const skipped = missingFor(testCase, underTest).length > 0;
    try {
      if (!skipped) await testCase.run(createContext(underTest));
      results.push({ title, skipped });
    } catch (error) {
      results.push({ title, skipped, error });
    }
  }
  return results;
}
