import type { SystemName } from '../names.ts';
import type { System } from '../system.ts';
import { setByHand } from './by-hand.ts';
import { nodeIdempotency } from './node-idempotency.ts';
import { powertools } from './powertools.ts';
import { redlockLibrary } from './redlock-library.ts';
import { atSend, beforeProcessor, postgres, redlock } from './sendonce.ts';

export const systems: Readonly<Record<SystemName, System>> = {
  'before-processor': beforeProcessor,
  'at-send': atSend,
  'redlock-ledger': redlock,
  'postgres-ledger': postgres,
  'set-nx': setByHand(1),
  'two-sets': setByHand(2),
  'three-sets': setByHand(3),
  'redlock-x1': redlockLibrary(1),
  'redlock-x3': redlockLibrary(3),
  powertools,
  'node-idempotency': nodeIdempotency,
};
