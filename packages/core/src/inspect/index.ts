/**
 * `@sendonce/core/inspect`: for programs that show emails to people, such as the CLI and the
 * dashboard.
 */
export { senderOf } from '../sender.ts';
export {
  chooseDoubts,
  type ChosenDoubt,
  type ChosenDoubts,
  countDoubts,
  describeCause,
  type DoubtCount,
  type DoubtCounts,
  type DoubtFilter,
  matchesFilter,
} from './choose-doubts.ts';
export {
  findEmails,
  findWorker,
  type FoundEmail,
  lastLabel,
  readEmail,
  scheduledFor,
  type Sources,
} from './find-emails.ts';
export { formatDuration } from './format-duration.ts';
export { foldCopies, type StepGroup } from './fold-copies.ts';
export { listAtMost, type Listed } from './list-at-most.ts';
export { type Overview, overviewOf } from './overview.ts';
export {
  type ManyResolved,
  type ManyVerdicts,
  type NamedDoubt,
  resolveEmails,
  type VerdictProblem,
  type VerdictResult,
} from './resolve-emails.ts';
export {
  type FindQueue,
  type QueueOfJobs,
  type RetriedJob,
  retryIfFailed,
  retryJob,
} from './retry-job.ts';
