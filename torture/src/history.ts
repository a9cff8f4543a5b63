/** Something that happened; `email` is missing where it concerns all, or a worker. */
export interface HistoryEvent {
  /** ms since the begin of the run. */
  readonly atMs: number;
  /** `worker 7`, `mail server`, `person`, `faults`. */
  readonly who: string;
  readonly what: string;
  readonly email?: number;
  readonly token?: string;
  readonly job?: string;
}

export interface History {
  /** With the time at which it happened, `Date.now()`. @default now */
  note(event: Omit<HistoryEvent, 'atMs'>, whenMs?: number): void;
  /** Everything about one email, and the faults that struck meanwhile, in order. */
  of(email: number): HistoryEvent[];
  /** What happened to one email. */
  stepsOf(email: number): readonly HistoryEvent[];
  readonly faults: readonly HistoryEvent[];
  readonly startedMs: number;
}

export function startHistory(): History {
  const startedMs = Date.now();
  const byEmail = new Map<number, HistoryEvent[]>();
  const faults: HistoryEvent[] = [];

  const history: History = {
    startedMs,
    faults,
    note(event, whenMs = Date.now()) {
      const noted = { ...event, atMs: whenMs - startedMs };
      if (event.email === undefined) {
        faults.push(noted);
        return;
      }
      const steps = byEmail.get(event.email);
      if (steps) steps.push(noted);
      else byEmail.set(event.email, [noted]);
    },
    of(email) {
      const steps = history.stepsOf(email);
      const workers = new Set(steps.map(({ who }) => who));
      const firstMs = Math.min(...steps.map(({ atMs }) => atMs)) - 1_000;
      const lastMs = Math.max(...steps.map(({ atMs }) => atMs)) + 1_000;
      const meanwhile = faults.filter(
        ({ atMs, who }) =>
          atMs >= firstMs && atMs <= lastMs && (!who.startsWith('worker ') || workers.has(who)),
      );
      return [...steps, ...meanwhile].toSorted((one, other) => one.atMs - other.atMs);
    },
    stepsOf: (email) => byEmail.get(email) ?? [],
  };
  return history;
}

/** `  1.234 s  worker 7      claimed` */
export function lineOf({ atMs, who, what, job, token }: HistoryEvent): string {
  const seconds = (atMs / 1_000).toFixed(3).padStart(8);
  const which = [job && `job ${job}`, token && `token ${token.slice(0, 6)}`].filter(Boolean);
  const about = which.length > 0 ? `  (${which.join(', ')})` : '';
  return `${seconds} s  ${who.padEnd(12)}  ${what}${about}`;
}
