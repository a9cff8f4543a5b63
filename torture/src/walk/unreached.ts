import { ledgerNames } from '../systems/names.ts';
import { besideTheQueue, reasons } from './reasons.ts';
import type { Walk } from './walk.ts';

export interface Unreached {
  readonly why: string;
  readonly points: readonly string[];
}

/**
 * The awaits that no scenario passes, by the reason why; those without one are on the path of a
 * job.
 */
export function unreachedOf({ system, undisturbed, names }: Walk): Unreached[] {
  const passed = new Set(
    undisturbed.flatMap(({ visits }) => visits.map(({ point }) => awaitOf(point))),
  );
  // The redlock ledger is made of Redis ledgers.
  const others: readonly string[] = ledgerNames.filter(
    (name) => name !== system && !(system === 'redlock' && name === 'redis'),
  );
  const groups = new Map<string, string[]>();
  for (const name of names) {
    if (passed.has(name) || others.includes(name.split(' ')[0]!)) continue;
    if (system !== 'redis' && besideTheQueue.some((place) => place.test(name))) continue;
    const reason = reasons.find(({ places }) => places.some((place) => place.test(name)));
    const why = reason?.why ?? NO_REASON;
    groups.set(why, [...(groups.get(why) ?? []), name]);
  }
  return [...groups].map(([why, points]) => ({ why, points }));
}

export const NO_REASON = 'on the path of a job: a scenario is missing';

/** A point without "before" or "after". */
export function awaitOf(point: string): string {
  return point.replace(/^(before|after) /, '');
}
