import { MAX_BATCH } from '@sendonce/core/ledger';

/** Works through many, a page at a time: the commands of one page share their round trips. */
export async function inPages<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += MAX_BATCH) {
    // All of the page have ended before an error is thrown, so that none runs on unseen.
    const page = await Promise.allSettled(items.slice(start, start + MAX_BATCH).map(work));
    for (const settled of page) {
      if (settled.status === 'rejected') throw settled.reason;
      results.push(settled.value);
    }
  }
  return results;
}
