import { ScheduleError } from '@sendonce/core';
import { bareError, MAX_BATCH } from '@sendonce/core/ledger';

/** What is done with the emails of one page. It settles all of them. */
export type PageWork<T, R> = (page: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>;

/**
 * Processes a list page by page, so that the commands of one page share their round trips. Two
 * pages are in work: one is prepared while the servers work on the other.
 * @throws {ScheduleError} with the answers so far, if an email failed.
 */
export async function inPages<T, R>(
  method: string,
  items: readonly T[],
  work: PageWork<T, R>,
): Promise<R[]> {
  const answers: (R | undefined)[] = [];
  let failed: PromiseRejectedResult | undefined;
  const collect = async (page: ReturnType<typeof settlePage<T, R>>) => {
    const settled = await page;
    answers.push(...settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)));
    failed ??= settled.find((one) => one.status === 'rejected');
  };
  let inWork: ReturnType<typeof settlePage<T, R>> | undefined;
  for (const page of slices(items, MAX_BATCH)) {
    const begun = settlePage(page, work);
    if (inWork) await collect(inWork);
    inWork = begun;
    if (failed) break;
  }
  // Waits for all pages before it throws, so that no email is still in work after that.
  if (inWork) await collect(inWork);
  if (failed) throw stoppedError(method, answers, items.length, failed.reason);
  return answers as R[];
}

/** Each item of the page alone, at the same time. */
export function oneByOne<T, R>(work: (item: T) => Promise<R>): PageWork<T, R> {
  return (page) => Promise.allSettled(page.map(work));
}

/**
 * How many emails share a page. 50 calls at a time reach 0.43 of a plain `add()` in pages of 16,
 * and 0.37 in one page, because then the servers wait while the page is prepared.
 */
const TICK_PAGE = 16;

/**
 * Collects what is asked in one tick into a page, so that calls at the same time share their round
 * trips, too.
 */
export function pageByTick<T, R>(work: PageWork<T, R>): (item: T) => Promise<R> {
  let waiting: { item: T; settle: (settled: PromiseSettledResult<R>) => void }[] = [];

  function flush(): void {
    const asked = waiting;
    waiting = [];
    for (const page of slices(asked, TICK_PAGE)) {
      void settlePage(
        page.map(({ item }) => item),
        work,
      ).then((settled) => page.forEach(({ settle }, index) => settle(settled[index]!)));
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({
        item,
        settle: (one) => (one.status === 'fulfilled' ? resolve(one.value) : reject(one.reason)),
      });
    });
}

/** Each item is a page, in the asynchronous context of its caller. */
export function pageForEach<T, R>(work: PageWork<T, R>): (item: T) => Promise<R> {
  return async (item) => {
    const [settled] = await work([item]);
    if (settled?.status !== 'fulfilled') throw settled?.reason;
    return settled.value;
  };
}

/** The pages of a stream. It is read only as far as it is asked for. */
export async function* pagesOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<T[], void, undefined> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < MAX_BATCH) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** If the whole page failed, each of its emails did. */
async function settlePage<T, R>(
  page: readonly T[],
  work: PageWork<T, R>,
): Promise<readonly PromiseSettledResult<R>[]> {
  try {
    return await work(page);
  } catch (reason) {
    return page.map(() => ({ status: 'rejected', reason }));
  }
}

function stoppedError(
  method: string,
  answers: readonly unknown[],
  total: number,
  cause: unknown,
): ScheduleError {
  const known = answers.filter((answer) => answer !== undefined).length;
  const why = cause instanceof Error ? cause.message : 'an unknown error';
  return new ScheduleError(
    `${method}() stopped: of ${total} emails, ${known} have an answer (in "answers" of this error, in the order of ` +
      `the list), ${answers.length - known} failed or are unknown, and ${total - answers.length} were not begun. The first ` +
      `that failed: ${why} Call ${method}() again with the same list: nothing is done twice.`,
    'maybe',
    { cause: bareError(cause), answers },
  );
}
