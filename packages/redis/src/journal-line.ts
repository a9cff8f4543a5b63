import type { JournalEntry, JournalType } from '@sendonce/core';

/** The steps of one attempt that were taken together, with what they have in common told once. */
export interface Line {
  readonly key: string;
  readonly text: string;
  /** When the email is due; 0 where that is not told. */
  readonly dueMs: number;
}

/** Entries of one email and attempt that follow each other become one line: most emails have one. */
export function linesOf(entries: readonly JournalEntry[]): Line[] {
  const groups = new Map<string, JournalEntry[][]>();
  for (const entry of entries) {
    const name = `${entry.key} ${entry.token} ${entry.by} ${entry.worker}`;
    const known = groups.get(name);
    const last = known?.at(-1);
    // What only one step has is told of the last one of its line.
    if (last && !isTold(last)) last.push(entry);
    else if (known) known.push([entry]);
    else groups.set(name, [[entry]]);
  }
  return [...groups.values()].flat().map((steps) => ({
    key: steps[0]!.key,
    text: encode(steps),
    dueMs: steps.at(-1)!.dueMs ?? 0,
  }));
}

function isTold(steps: readonly JournalEntry[]): boolean {
  return steps.some(({ messageId, note, dueMs }) => (messageId ?? note ?? dueMs) !== undefined);
}

function encode(steps: readonly JournalEntry[]): string {
  const { token = '', by = '', worker = '', label = '', atMs } = steps[0]!;
  const { messageId = '', note, dueMs } = steps.at(-1)!;
  const times = steps.flatMap((step) => [step.type, step.atMs - atMs]);
  // Six characters tell the attempts of one email apart.
  const why = note ?? dueMs ?? '';
  return JSON.stringify([atMs, token.slice(0, 6), by, worker, label, messageId, why, ...times]);
}

type Parsed = [number, string, string, string, string, string, string | number, ...string[]];

/** The last step's reason, or its time where it has one that a Date can tell. */
function toldBy(why: string | number): Partial<JournalEntry> {
  if (typeof why === 'string') return why ? { note: why } : {};
  return Number.isNaN(new Date(why).getTime()) ? {} : { dueMs: why };
}

/** The entries of a line; none of one that a newer version has written in another form. */
export function entriesOf(key: string, line: string): JournalEntry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return [];
  }
  if (!Array.isArray(parsed) || parsed.length < 9 || typeof parsed[0] !== 'number') return [];
  const [atMs, token, by, worker, label, messageId, why, ...times] = parsed as Parsed;
  const steps = times.length / 2;
  return Array.from({ length: steps }, (_, step) => ({
    key,
    type: times[step * 2] as JournalType,
    atMs: atMs + Number(times[step * 2 + 1]),
    ...(token && { token }),
    ...(by && { by }),
    ...(worker && { worker }),
    ...(label && { label }),
    ...(step === steps - 1 && messageId && { messageId }),
    ...(step === steps - 1 && toldBy(why)),
  }));
}
