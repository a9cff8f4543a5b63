import { MAX_BATCH } from '@sendonce/core/ledger';

/** Processes items page by page, so that the commands of one page share their round trips. */
export async function inPages<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += MAX_BATCH) {
    // Waits for the whole page before it throws, so that no item still runs after that.
    const page = await Promise.allSettled(items.slice(start, start + MAX_BATCH).map(work));
    for (const settled of page) {
      if (settled.status === 'rejected') throw settled.reason;
      results.push(settled.value);
    }
  }
  return results;
}
