import type { Journal } from '@sendonce/core';

/** A journal that keeps nothing. */
export const silentJournal: Journal = {
  write() {},
  flush: async () => {},
  history: async () => [],
  find: async () => [],
  counts: async () => [],
};
