import type { System } from '../system.ts';
import type { SystemName } from './names.ts';
import { sendonce } from './sendonce.ts';
import { setNx } from './set-nx.ts';

/** A peer's package is imported when it is opened: every worker process loads this file. */
export const systems: Readonly<Record<SystemName, System>> = {
  redis: sendonce('redis'),
  redlock: sendonce('redlock'),
  postgres: sendonce('postgres'),
  'set-nx-lease': setNx('lease'),
  'set-nx-forever': setNx('forever'),
};
