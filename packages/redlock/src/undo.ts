import type { Attempt, RecordState } from '@sendonce/core';
import { placesOf, defineScript, recordLua, STATE_LETTERS } from '@sendonce/redis/internal';
import * as lua from './generated/scripts.ts';
import type { Node } from './node.ts';
import type { Quorum } from './quorum.ts';

const undoOn = defineScript(recordLua + lua.undo);

interface Written extends Pick<Attempt, 'key' | 'token'> {
  /** Where it may have been written. @default on any node */
  readonly on?: readonly Node[];
  /**
   * Leaves a dispatch that is in doubt by now: a command may reach its node late. Other attempts
   * may have read the doubt meanwhile and given up, so that none would try again. @default false
   */
  readonly leaveDoubts?: boolean;
}

/** Removes the record that this token wrote from every node where it still has this state. */
export async function undo(
  quorum: Quorum,
  state: RecordState,
  { key, token, on, leaveDoubts = false }: Written,
): Promise<void> {
  const { record, index } = placesOf(quorum.prefix);
  const places = [record(key), index(key)];
  const args = [STATE_LETTERS[state], token, leaveDoubts ? 'leave doubts' : ''];
  await quorum.poll(async (node) => {
    if (!on || on.includes(node)) await undoOn(node.client, places, args);
  });
}
