import { checkAddress } from '@sendonce/mail';
import { NoticeRefused } from './errors.ts';
import type { Order } from './order.ts';
import type { Templates } from './templates.ts';

/** An email as nodemailer takes it. */
export interface Email {
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type Compose = (order: Order & { readonly orderId: string }, now?: Date) => Email;

/** Makes the email of an order: for a dry run before it is scheduled, and when it leaves. */
export function composer(templates: Templates, timeZone: string): Compose {
  return (order, now = new Date()) => {
    const { orderId, to, name, items } = order;
    try {
      checkAddress(to);
    } catch {
      throw new NoticeRefused('to', 'Expected one email address, and nothing but it.');
    }
    const arrives = new Date(order.arrivesAt);
    const view = {
      orderId,
      name,
      items,
      day: longDay(arrives, timeZone),
      when: relativeDay(arrives, now, timeZone),
    };
    return {
      // As an object: a comma or a bracket in the name makes no second recipient.
      to: { name, address: to },
      subject: oneLine(templates.subject(view)),
      text: templates.text(view),
      html: templates.html(view),
    };
  };
}

function oneLine(subject: string): string {
  return subject.trim().replaceAll(/\s+/g, ' ');
}

/** "tomorrow", if that is true when the email leaves: it may leave late, or at once. */
function relativeDay(arrives: Date, now: Date, timeZone: string): string {
  const day = dayNumber(arrives, timeZone) - dayNumber(now, timeZone);
  if (day === 0) return 'today';
  return day === 1 ? 'tomorrow' : `on ${longDay(arrives, timeZone)}`;
}

function longDay(date: Date, timeZone: string): string {
  const parts = { weekday: 'long', day: 'numeric', month: 'long' } as const;
  return new Intl.DateTimeFormat('en-GB', { ...parts, timeZone }).format(date);
}

/** Days since 1970 by the calendar that hangs there. */
function dayNumber(date: Date, timeZone: string): number {
  // Swedish dates are ISO dates.
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone }).format(date);
  return Date.parse(`${day}T00:00:00Z`) / 86_400_000;
}
