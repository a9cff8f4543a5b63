import { type LedgerRecord, type Sources } from '@sendonce/core';
import { labelOf, type Overview, overviewOf } from '@sendonce/core/inspect';
import { DAY_MS, HOUR_MS } from './times.ts';

/** An email in doubt, with what the journal knows of it. */
export interface Doubt {
  readonly record: LedgerRecord;
  readonly label: string | undefined;
  readonly worker: string | undefined;
}

export interface OverviewData extends Overview {
  readonly days: Days;
  /** The hours that are counted: where they begin, and how many. */
  readonly fromMs: number;
  readonly slots: number;
  /** Those that are silent for longest, `MOST_DOUBTS` at most. */
  readonly doubts: readonly Doubt[];
  readonly nowMs: number;
}

export type Days = 1 | 7;

const MOST_DOUBTS = 100;
/** The journal is written a little later than the ledger, or never, where the worker was killed. */
const ASKED_AGAIN_MS = 10_000;

/** Loads what the overview shows; what is known of a doubt is not asked for each second. */
export function overviewLoader(sources: Sources): (days: Days) => Promise<OverviewData> {
  let known = new Map<string, { doubt: Doubt; askedMs: number }>();

  async function doubtOf(record: LedgerRecord, nowMs: number) {
    const before = known.get(nameOf(record));
    const complete = before?.doubt.label !== undefined && before.doubt.worker !== undefined;
    if (before && (complete || nowMs - before.askedMs < ASKED_AGAIN_MS)) {
      return { doubt: { ...before.doubt, record }, askedMs: before.askedMs };
    }
    const history = (await sources.journal?.history(record.key)) ?? [];
    // The journal keeps the beginning of a token.
    const own = history.filter(
      ({ token }) => token !== undefined && record.token.startsWith(token),
    );
    return {
      doubt: { record, label: labelOf(history), worker: own.at(-1)?.worker },
      askedMs: nowMs,
    };
  }

  return async (days) => {
    const nowMs = Date.now();
    const slots = days * 24;
    const fromMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS + HOUR_MS - days * DAY_MS;
    const overview = await overviewOf(sources, { sinceMs: fromMs });
    const shown = overview.inDoubt.slice(0, MOST_DOUBTS);
    const found = await Promise.all(shown.map((record) => doubtOf(record, nowMs)));
    known = new Map(found.map((one) => [nameOf(one.doubt.record), one]));
    return { ...overview, days, fromMs, slots, doubts: found.map(({ doubt }) => doubt), nowMs };
  };
}

function nameOf({ key, token }: LedgerRecord): string {
  return `${key} ${token}`;
}
