import type { Attempt } from '@sendonce/core';
import { defineScript, placesOf } from '@sendonce/redis';
import * as lua from './generated/scripts.ts';
import type { Quorum } from './quorum.ts';

const withdraw = defineScript(lua.withdraw);

/** Takes back a claim (C) or a cancellation (X) wherever this token wrote it and it still stands so. */
export async function takeBack(
  quorum: Quorum,
  state: 'C' | 'X',
  { key, token }: Pick<Attempt, 'key' | 'token'>,
): Promise<void> {
  const place = placesOf(quorum.prefix).record(key);
  await quorum.poll((node) => withdraw(node.client, [place], [state + token]));
}
