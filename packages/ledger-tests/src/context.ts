import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import type { Capabilities, Context, LedgerUnderTest, TopicCase } from './topic.ts';

/**
 * Everything that one case needs, from what the backend offers.
 *
 * @param scale how many times longer its times are, for a busy machine.
 */
export function createContext(underTest: LedgerUnderTest, scale = 1): Context {
  const { advance = wait } = underTest;
  const { fallSilent = advance, timeUnitMs = 200, ledger, other } = underTest;
  const { corrupt, stored, lostReply } = underTest;
  return {
    ledger,
    other,
    unitMs: timeUnitMs * scale,
    key: () => deriveKey(createToken()),
    attempt: (overrides) => ({
      key: deriveKey(createToken()),
      token: createToken(),
      leaseMs: 60_000,
      retentionMs: 600_000,
      ...overrides,
    }),
    advance,
    fallSilent,
    ...(corrupt && { corrupt }),
    ...(stored && { stored }),
    ...(lostReply && { lostReply }),
  };
}

async function wait(ms: number): Promise<void> {
  await sleep(ms);
}

/** The capabilities that a case needs and this backend does not offer. */
export function missingFor(testCase: TopicCase, underTest: LedgerUnderTest): string[] {
  const needs: readonly (keyof Capabilities)[] = testCase.needs ?? [];
  return needs.filter((capability) => underTest[capability] === undefined);
}
