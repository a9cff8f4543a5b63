import type { LaneEvent } from '../messages.ts';
import type { MarkKind } from './marks.ts';

export interface Bar {
  readonly kind: 'run' | 'wait' | 'frozen' | 'blocked';
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LaneMark {
  readonly kind: MarkKind;
  readonly atMs: number;
  /** An email that is not the first one of the cell. */
  readonly again: boolean;
}

/** What one worker did in one cell, in time from its start. */
export interface Lane {
  readonly worker: number;
  readonly bars: readonly Bar[];
  readonly marks: readonly LaneMark[];
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** The lanes of the workers that had something to do, in the order in which they got to it. */
export function lanesOf(events: readonly LaneEvent[], { startMs, endMs }: Span): Lane[] {
  const inOrder = events
    .filter(({ atMs }) => atMs <= endMs)
    .toSorted((one, other) => one.atMs - other.atMs)
    .map((event) => ({ ...event, atMs: Math.max(0, event.atMs - startMs) }));
  const firstEmail = inOrder.find(({ kind }) => kind === 'email');
  const workers = [...new Set(inOrder.map(({ worker }) => worker))];
  return workers
    .map((worker) => ({ worker, own: inOrder.filter((event) => event.worker === worker) }))
    .map(({ worker, own }) => ({
      worker,
      bars: barsOf(own, endMs - startMs),
      marks: marksOf(own, firstEmail),
    }))
    .toSorted((one, other) => rank(one) - rank(other));
}

const barKinds = {
  start: { kind: 'run', until: ['end', 'kill'] },
  wait: { kind: 'wait', until: ['claim', 'end', 'kill'] },
  freeze: { kind: 'frozen', until: ['thaw'] },
  block: { kind: 'blocked', until: ['unblock', 'kill'] },
} as const;

function barsOf(events: readonly LaneEvent[], totalMs: number): Bar[] {
  return events.flatMap(({ kind, atMs }, index): Bar[] => {
    if (!(kind in barKinds)) return [];
    const bar = barKinds[kind as keyof typeof barKinds];
    const until: readonly string[] = bar.until;
    const end = events.slice(index + 1).find((event) => until.includes(event.kind));
    return [{ kind: bar.kind, fromMs: atMs, toMs: end?.atMs ?? totalMs }];
  });
}

const noMarks = new Set(['start', 'end', 'wait', 'freeze', 'thaw', 'block', 'unblock']);

function marksOf(events: readonly LaneEvent[], firstEmail: LaneEvent | undefined): LaneMark[] {
  return events
    .filter(({ kind }) => !noMarks.has(kind))
    .map((event) => ({
      kind: event.kind as MarkKind,
      atMs: event.atMs,
      again: event.kind === 'email' && event !== firstEmail,
    }));
}

/** When it claimed or sent; those who did neither come last. */
function rank({ worker, marks, bars }: Lane): number {
  const acted = marks.find(({ kind }) => kind === 'claim' || kind === 'email');
  if (acted) return acted.atMs;
  return 1e9 + (bars[0]?.fromMs ?? marks[0]?.atMs ?? 0) * 100 + worker;
}
