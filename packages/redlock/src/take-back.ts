import type { Attempt } from '@sendonce/core';
import { defineScript, placesOf } from '@sendonce/redis';
import * as lua from './generated/scripts.ts';
import type { Node } from './node.ts';
import type { Quorum } from './quorum.ts';

const withdraw = defineScript(lua.withdraw);

/** A claim, a cancellation, a dispatch (in doubt or not), sent, rejected: as the record begins. */
export type Letter = 'C' | 'X' | 'D' | 'S' | 'R';

interface Written extends Pick<Attempt, 'key' | 'token'> {
  /** Where it may have been written. @default on any node */
  readonly on?: readonly Node[];
  /**
   * Leaves a dispatch that is in doubt by now: a command may reach its node late, and others were told of the doubt
   * meanwhile and gave up, so that nobody would come again. @default false
   */
  readonly leaveDoubts?: boolean;
}

/** Takes back what this token wrote, wherever it still stands so. */
export async function takeBack(
  quorum: Quorum,
  letter: Letter,
  { key, token, on, leaveDoubts = false }: Written,
): Promise<void> {
  const { record, index } = placesOf(quorum.prefix);
  const places = [record(key), index(key)];
  const args = [letter + token, leaveDoubts ? 'leave doubts' : ''];
  await quorum.poll(async (node) => {
    if (!on || on.includes(node)) await withdraw(node.client, places, args);
  });
}
