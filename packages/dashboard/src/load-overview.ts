import { type LedgerRecord, type Sources } from '@sendonce/core';
import { findWorker, lastLabel, type Overview, overviewOf } from '@sendonce/core/inspect';
import { DAY_MS, HOUR_MS } from '@sendonce/core/ledger';

/** An email in doubt, with what the journal knows about it. */
export interface Doubt {
  readonly record: LedgerRecord;
  readonly label: string | undefined;
  readonly worker: string | undefined;
}

export interface OverviewData extends Overview {
  readonly days: Days;
  /** Where the hours begin that are counted, and how many they are. */
  readonly fromMs: number;
  readonly slots: number;
  /** At most `MAX_DOUBTS`. Those without a sign of life for longest come first. */
  readonly doubts: readonly Doubt[];
  readonly nowMs: number;
}

export type Days = 1 | 7;

const MAX_DOUBTS = 100;
/** The journal is written after the ledger, or not at all if the worker was killed. */
const READ_AGAIN_AFTER_MS = 10_000;

/**
 * Makes a function that loads what the overview shows. It reads the history of a doubt again only
 * if something in it was missing, and not each second.
 */
export function overviewLoader(sources: Sources): (days: Days) => Promise<OverviewData> {
  let known = new Map<string, { doubt: Doubt; readAtMs: number }>();

  async function loadDoubt(record: LedgerRecord, nowMs: number) {
    const before = known.get(attemptId(record));
    const isComplete = before?.doubt.label !== undefined && before.doubt.worker !== undefined;
    if (before && (isComplete || nowMs - before.readAtMs < READ_AGAIN_AFTER_MS)) {
      return { doubt: { ...before.doubt, record }, readAtMs: before.readAtMs };
    }
    const history = (await sources.journal?.history(record.key)) ?? [];
    const doubt = { record, label: lastLabel(history), worker: findWorker(record, history) };
    return { doubt, readAtMs: nowMs };
  }

  return async (days) => {
    const nowMs = Date.now();
    const slots = days * 24;
    const fromMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS + HOUR_MS - days * DAY_MS;
    const overview = await overviewOf(sources, { sinceMs: fromMs });
    const shown = overview.inDoubt.slice(0, MAX_DOUBTS);
    const loaded = await Promise.all(shown.map((record) => loadDoubt(record, nowMs)));
    known = new Map(loaded.map((one) => [attemptId(one.doubt.record), one]));
    return { ...overview, days, fromMs, slots, doubts: loaded.map(({ doubt }) => doubt), nowMs };
  };
}

function attemptId({ key, token }: LedgerRecord): string {
  return `${key} ${token}`;
}
