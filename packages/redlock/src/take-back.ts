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
}

/** Takes back what this token wrote, wherever it still stands so. */
export async function takeBack(
  quorum: Quorum,
  letter: Letter,
  { key, token, on }: Written,
): Promise<void> {
  const { record, index } = placesOf(quorum.prefix);
  const places = [record(key), index(key)];
  await quorum.poll(async (node) => {
    if (!on || on.includes(node)) await withdraw(node.client, places, [letter + token]);
  });
}
