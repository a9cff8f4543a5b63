const PAGE = 250;

/** Works through many, a page at a time: the commands of one page share their round trips. */
export async function inPages<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += PAGE) {
    // Settled before anything is thrown: nothing goes on unseen.
    const page = await Promise.allSettled(items.slice(start, start + PAGE).map(work));
    for (const settled of page) {
      if (settled.status === 'rejected') throw settled.reason;
      results.push(settled.value);
    }
  }
  return results;
}
