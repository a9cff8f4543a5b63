import { z } from 'zod';
import { NoticeRefused } from './errors.ts';

/** One line of text. Control characters end a header of an email, or begin one. */
const line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'Expected one line of text');

/** With its offset: "tomorrow at ten" of a shop is not that of its server. Kept in UTC. */
const moment = z.iso
  .datetime({ offset: true })
  .transform((written) => new Date(written).toISOString());

export const orderBody = z.strictObject({
  to: z.email().max(254),
  name: line(100),
  items: z.array(line(200)).max(50).default([]),
  arrivesAt: moment,
});

export const delayBody = z.strictObject({ arrivesAt: moment });

export const orderParams = z.object({
  orderId: z.string().regex(/^[\w.-]{1,64}$/, 'Expected letters, digits, ".", "_" and "-"'),
});

export const occurrenceQuery = z.strictObject({
  occurrence: z
    .string()
    .regex(/^[\w-]{1,32}$/, 'Expected letters, digits, "_" and "-"')
    .optional(),
});

/** The order that a notice is about. */
export type Order = z.infer<typeof orderBody>;

const YEAR_MS = 366 * 24 * 60 * 60 * 1000;

/** @throws {NoticeRefused} for a time that is past, or more than a year away. */
export function checkArrival(arrivesAt: string, nowMs = Date.now()): void {
  const atMs = Date.parse(arrivesAt);
  if (!(atMs > nowMs)) throw new NoticeRefused('arrivesAt', 'Expected a time that is to come.');
  if (atMs > nowMs + YEAR_MS) {
    throw new NoticeRefused('arrivesAt', 'Expected a time within a year.');
  }
}

/** The names of what differs, never the values. */
export function differences(one: Order, other: Order): string[] {
  const names = ['to', 'name', 'items', 'arrivesAt'] as const;
  return names.filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]));
}
