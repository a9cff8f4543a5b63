export { type BrokenLedger, brokenLedgers } from './broken-ledgers.ts';
export { type Fault, faultyLedger, type Verb } from './faulty-ledger.ts';
export { memoryUnderTest } from './memory-under-test.ts';
export { checkLedger, type ModelRun } from './model/check-ledger.ts';
export { describeModel, type DescribeModelOptions } from './model/describe-model.ts';
export { type CaseResult, runTopic } from './run-topic.ts';
export type { Capabilities, Context, LedgerUnderTest, Topic, TopicCase } from './topic.ts';
export { ledgerTopics } from './topics/index.ts';
export { describeLedger, type DescribeLedgerOptions } from './vitest.ts';
