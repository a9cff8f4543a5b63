import { createContext, missingFor } from './context.ts';
import type { LedgerUnderTest, Topic } from './topic.ts';

export interface CaseResult {
  readonly title: string;
  readonly skipped: boolean;
  readonly error?: unknown;
}

/** Runs a topic without any test framework, so that a test can assert that a ledger fails it. */
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
