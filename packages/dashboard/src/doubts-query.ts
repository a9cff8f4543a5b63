import type { DoubtFilter } from '@sendonce/core/inspect';
import { MINUTE_MS } from '@sendonce/core/ledger';

/** What the URL or the form of the list of doubts asks for, as the viewer wrote it. */
export interface DoubtsQuery {
  readonly cause: string;
  readonly queue: string;
  /** `2026-12-01T09:30`, in UTC. */
  readonly since: string;
  readonly until: string;
  /** From 1. */
  readonly page: number;
}

/** The names of the fields that are texts. */
export const filterFields = ['cause', 'queue', 'since', 'until'] as const;

const MAX_TEXT_LENGTH = 500;

export function readDoubtsQuery(fields: URLSearchParams): DoubtsQuery {
  const read = (name: string) => (fields.get(name) ?? '').slice(0, MAX_TEXT_LENGTH);
  const page = read('page');
  return {
    cause: read('cause'),
    queue: read('queue').trim(),
    since: read('since').trim(),
    until: read('until').trim(),
    page: /^[1-9]\d{0,3}$/.test(page) ? Number(page) : 1,
  };
}

/** The query of a URL, without what is the default. */
export function formatDoubtsQuery(query: Partial<DoubtsQuery>): string {
  const fields = new URLSearchParams();
  for (const name of filterFields) if (query[name]) fields.set(name, query[name]);
  if ((query.page ?? 1) > 1) fields.set('page', String(query.page));
  const text = fields.toString();
  return text === '' ? '' : `?${text}`;
}

/** The filter that a query means, or what is wrong with the query, as a sentence. */
export function toFilter({ cause, queue, since, until }: DoubtsQuery): DoubtFilter | string {
  const [sinceMs, untilMs] = [since, until].map(readMinute);
  if (Number.isNaN(sinceMs) || Number.isNaN(untilMs)) {
    return 'Write a time as 2026-12-01T09:30. It is in UTC.';
  }
  // The whole minute is meant.
  const lastMs = untilMs === undefined ? undefined : untilMs + MINUTE_MS - 1;
  if (sinceMs !== undefined && lastMs !== undefined && sinceMs > lastMs) {
    return 'No email matches: the first time is after the last one.';
  }
  return {
    causes: cause === '' ? undefined : [cause],
    queues: queue === '' ? undefined : [queue],
    sinceMs,
    untilMs: lastMs,
  };
}

/** A time as the field of a form has it. Empty if it is not one. */
export function toFieldTime(text: string): string {
  const ms = readMinute(text);
  return ms === undefined || Number.isNaN(ms) ? '' : new Date(ms).toJSON().slice(0, 16);
}

/** Undefined: not given. NaN: not a time. */
function readMinute(text: string): number | undefined {
  if (text === '') return undefined;
  const [, day, clock = '00:00'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z?)?$/.exec(text) ?? [];
  const ms = Date.parse(`${day}T${clock}Z`);
  // 31 February would be read as 3 March.
  return Number.isNaN(ms) || !new Date(ms).toJSON().startsWith(day!) ? Number.NaN : ms;
}
