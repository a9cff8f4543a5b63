import type { Topic } from '../topic.ts';
import { cancel } from './cancel.ts';
import { claimRaces } from './claim-races.ts';
import { conflict } from './conflict.ts';
import { heartbeat } from './heartbeat.ts';
import { doubts } from './in-doubt.ts';
import { leaseOver } from './lease-over.ts';
import { list } from './list.ts';
import { lostReplies } from './lost-replies.ts';
import { release } from './release.ts';
import { resolve } from './resolve.ts';
import { results } from './results.ts';
import { retention } from './retention.ts';
import { settle } from './settle.ts';
import { skips } from './skipped.ts';
import { everyTransition } from './transitions.ts';
import { unreadableRecords } from './unreadable.ts';

/**
 * The whole specification of `Ledger`, topic by topic.
 * See {@link describeLedger}.
 */
export const ledgerTopics: readonly Topic[] = [
  everyTransition,
  claimRaces,
  lostReplies,
  leaseOver,
  settle,
  skips,
  release,
  doubts,
  resolve,
  cancel,
  conflict,
  retention,
  results,
  list,
  heartbeat,
  unreadableRecords,
];
