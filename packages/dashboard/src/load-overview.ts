import { type LedgerRecord, type Sources } from '@sendonce/core';
import { findWorker, lastLabel, type Overview, overviewOf } from '@sendonce/core/inspect';
import { DAY_MS, HOUR_MS } from '@sendonce/core/ledger';
import { withDeadline } from './deadline.ts';
import { type DoubtGroup, type DoubtPage, groupByCause, selectDoubts } from './doubt-list.ts';
import type { OverviewQuery } from './overview-query.ts';

/** An email in doubt, with what the journal knows about it. */
export interface Doubt {
  readonly record: LedgerRecord;
  readonly label: string | undefined;
  readonly worker: string | undefined;
}

export interface OverviewData extends Overview {
  readonly query: OverviewQuery;
  /** Where the hours begin that are counted, and how many they are. */
  readonly fromMs: number;
  readonly slots: number;
  readonly causes: readonly DoubtGroup[];
  readonly page: DoubtPage;
  /** The doubts of the page. Those without a sign of life for longest come first. */
  readonly doubts: readonly Doubt[];
  readonly nowMs: number;
}

/** The journal is written after the ledger, or not at all if the worker was killed. */
const READ_AGAIN_AFTER_MS = 10_000;

/**
 * Makes a function that loads what the overview shows. It reads the history of a doubt again only
 * if something in it was missing, and not each second.
 */
export function overviewLoader(sources: Sources): (query: OverviewQuery) => Promise<OverviewData> {
  const known = new Map<string, { doubt: Doubt; readAtMs: number }>();
  const loading = new Map<number, Promise<Overview>>();

  /**
   * The open pages are updated at the same time, and share one read, also if their lists differ.
   */
  function loadShared(sinceMs: number): Promise<Overview> {
    const before = loading.get(sinceMs);
    if (before) return before;
    // With a deadline, because a read that never ends must not be shared.
    const reading = withDeadline(overviewOf(sources, { sinceMs }));
    const overview = reading.finally(() => loading.delete(sinceMs));
    loading.set(sinceMs, overview);
    return overview;
  }

  async function loadDoubt(record: LedgerRecord, nowMs: number): Promise<Doubt> {
    const before = known.get(attemptId(record));
    const isComplete = before?.doubt.label !== undefined && before.doubt.worker !== undefined;
    if (before && (isComplete || nowMs - before.readAtMs < READ_AGAIN_AFTER_MS)) {
      return { ...before.doubt, record };
    }
    const history = (await sources.journal?.history(record.key)) ?? [];
    const doubt = { record, label: lastLabel(history), worker: findWorker(record, history) };
    known.set(attemptId(record), { doubt, readAtMs: nowMs });
    return doubt;
  }

  /** Several pages are read at a time, so a doubt is kept as long as it is one. */
  function forgetOthers(inDoubt: readonly LedgerRecord[]): void {
    const attempts = new Set(inDoubt.map(attemptId));
    for (const attempt of known.keys()) if (!attempts.has(attempt)) known.delete(attempt);
  }

  return async (query) => {
    const nowMs = Date.now();
    const slots = query.days * 24;
    const fromMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS + HOUR_MS - query.days * DAY_MS;
    const overview = await loadShared(fromMs);
    const { inDoubt } = overview;
    const page = selectDoubts(inDoubt, query);
    const doubts = await Promise.all(page.records.map((record) => loadDoubt(record, nowMs)));
    forgetOthers(inDoubt);
    return {
      ...overview,
      query,
      fromMs,
      slots,
      causes: groupByCause(inDoubt),
      page,
      doubts,
      nowMs,
    };
  };
}

function attemptId({ key, token }: LedgerRecord): string {
  return `${key} ${token}`;
}
