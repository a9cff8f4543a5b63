import type { JournalEntry, JournalType } from '@sendonce/core';

/** Steps of one attempt that were written together, with what they have in common stored once. */
export interface Line {
  readonly key: string;
  readonly text: string;
  /** When the email is due; 0 if the steps do not say. */
  readonly dueMs: number;
}

/** The format that this code reads and writes: the first element of every line. */
const FORMAT = 1;

/**
 * Entries of one email and attempt that follow each other become one line: most emails have one.
 */
export function linesOf(entries: readonly JournalEntry[]): Line[] {
  const groups = new Map<string, JournalEntry[][]>();
  for (const entry of entries) {
    const { key, token, job, by, worker } = entry;
    const name = [key, token, job?.queue, job?.id, by, worker].join('\n');
    const known = groups.get(name);
    const last = known?.at(-1);
    // What only one step has is stored with the last one of its line.
    if (last && !hasDetails(last)) last.push(entry);
    else if (known) known.push([entry]);
    else groups.set(name, [[entry]]);
  }
  return [...groups.values()].flat().map((steps) => ({
    key: steps[0]!.key,
    text: encodeLine(steps),
    dueMs: steps.at(-1)!.dueMs ?? 0,
  }));
}

function hasDetails(steps: readonly JournalEntry[]): boolean {
  return steps.some(({ messageId, note, dueMs }) => (messageId ?? note ?? dueMs) !== undefined);
}

/**
 * A JSON array: format, time, token, queue, id, by, worker, label, Message-ID, reason or due time,
 * then for each step its type and how long after the time it was, in ms.
 */
function encodeLine(steps: readonly JournalEntry[]): string {
  const { token = '', job, by = '', worker = '', label = '', atMs } = steps[0]!;
  const { messageId = '', note, dueMs } = steps.at(-1)!;
  const { queue = '', id = '' } = job ?? {};
  // Six characters tell the attempts of one email apart.
  const head = [FORMAT, atMs, token.slice(0, 6), queue, id, by, worker, label, messageId];
  const times = steps.flatMap((step) => [step.type, step.atMs - atMs]);
  return JSON.stringify([...head, note ?? dueMs ?? '', ...times]);
}

type Parsed = [
  format: number,
  atMs: number,
  token: string,
  queue: string,
  id: string,
  by: string,
  worker: string,
  label: string,
  messageId: string,
  detail: string | number,
  ...times: (string | number)[],
];

/** The entries of a line; undefined if it has another format. */
export function entriesOf(key: string, line: string): JournalEntry[] | undefined {
  const parsed = parseLine(line);
  if (!parsed) return undefined;
  const [, atMs, token, queue, id, by, worker, label, messageId, detail, ...times] = parsed;
  const steps = times.length / 2;
  return Array.from({ length: steps }, (_, step) => ({
    key,
    type: times[step * 2] as JournalType,
    atMs: atMs + (times[step * 2 + 1] as number),
    ...(token && { token }),
    ...((queue || id) && { job: { queue, id } }),
    ...(by && { by }),
    ...(worker && { worker }),
    ...(label && { label }),
    ...(step === steps - 1 && messageId && { messageId }),
    ...(step === steps - 1 && decodeDetail(detail)),
  }));
}

function parseLine(line: string): Parsed | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  return Array.isArray(parsed) && isLine(parsed) ? parsed : undefined;
}

/** Anything may be in a list of Redis: a line is shown only if all of it has the right form. */
function isLine(line: readonly unknown[]): line is Parsed {
  const [format, atMs, ...others] = line;
  const [texts, detail, times] = [others.slice(0, 7), others[7], others.slice(8)];
  if (format !== FORMAT || !isTime(atMs) || times.length === 0 || times.length % 2 > 0)
    return false;
  const isDetail = typeof detail === 'string' || typeof detail === 'number';
  const areSteps = times.every((value, index) =>
    index % 2 === 0 ? isStep(value) : Number.isSafeInteger(value) && isTime(atMs + Number(value)),
  );
  return isDetail && areSteps && texts.every((text) => typeof text === 'string');
}

/** What the name of a step looks like: a newer version may have others. */
export function isStep(value: unknown): value is JournalType {
  return typeof value === 'string' && /^[a-z][a-z-]{0,31}$/.test(value);
}

/** A time that a Date can express. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && !Number.isNaN(new Date(value as number).getTime());
}

/** The reason of the last step, or its due time if a Date can express it. */
function decodeDetail(detail: string | number): Partial<JournalEntry> {
  if (typeof detail === 'string') return detail ? { note: detail } : {};
  return Number.isNaN(new Date(detail).getTime()) ? {} : { dueMs: detail };
}
