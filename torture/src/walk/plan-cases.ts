import { oneOf } from '@sendonce/testkit/sample';
import type { Aim } from '../points/runtime.ts';
import type { Case, CaseResult } from './run-case.ts';

/** Later visits of a point are struck as moments of other points. */
const VISITS = 1;

/**
 * The cases of a walk. Every point is struck once, in the first scenario that passes it. Beyond
 * that every scenario is struck at each moment that others can tell apart: two points with no write
 * to a socket in between are one moment, as a death at either leaves the same behind.
 */
export function planCases(undisturbed: readonly CaseResult[], action: Aim['action']): Case[] {
  const struck = new Set<string>();
  const cases: Case[] = [];
  for (const { scenario, visits } of undisturbed) {
    const times = new Map<string, number>();
    let struckMoment: number | undefined;
    for (const { point, writes } of visits) {
      const passes = (times.get(point) ?? 0) + 1;
      times.set(point, passes);
      const isNew = !struck.has(point);
      if (!isNew && (writes === struckMoment || passes > VISITS)) continue;
      struck.add(point);
      struckMoment = writes;
      cases.push({ scenario, aim: { action, point, passes } });
    }
  }
  return cases;
}

/** Struck in each scenario and each run: the email has left, and nothing says so yet. */
const leftUnrecorded = /^before core attempt\/settle /;

/**
 * For each function one of the cases at its awaits, by the name of the sample: every kind of await
 * is struck in each run.
 */
export function sampleCases(cases: readonly Case[], sample: string): Case[] {
  const always = cases.filter(({ aim }) => leftUnrecorded.test(aim?.point ?? ''));
  const kinds = new Map<string, [Case, ...Case[]]>();
  for (const one of cases) {
    const kind = functionOf(one.aim?.point ?? '');
    const others = kinds.get(kind);
    if (others) others.push(one);
    else kinds.set(kind, [one]);
  }
  const chosen = [...kinds].map(([kind, ofKind]) => oneOf(ofKind, kind, sample));
  return [...new Set([...always, ...chosen])];
}

/** `core attempt/perform performWith()` of `before core attempt/perform performWith(): …`. */
function functionOf(point: string): string {
  return point.replace(/^(before|after) /, '').replace(/: .*$/, '');
}
