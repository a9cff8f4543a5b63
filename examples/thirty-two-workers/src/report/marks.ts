import type { EventKind } from '../messages.ts';
import { element } from '@sendonce/testkit/html';

/** A mark at one moment of a lane. */
export type MarkKind = Exclude<
  EventKind,
  'start' | 'end' | 'wait' | 'freeze' | 'thaw' | 'block' | 'unblock'
>;

export interface Mark {
  readonly label: string;
  /** Drawn around 0,0 in a square of 10. */
  readonly shape: string;
}

const path = (name: string, d: string) => element('path', { class: `mark ${name}`, d });
const sign = (name: string, text: string) =>
  element('circle', { class: `mark ${name}`, r: 4.6 }) +
  element('text', { class: `sign ${name}`, y: 3 }, text);

const envelope = 'M-5-3.6h10v7.2h-10z M-5-3.6l5 4 5-4';

export const marks: Readonly<Record<MarkKind, Mark>> = {
  claim: { label: 'claim (or lock) won', shape: path('claim', 'M-3.6-4.4L4.4 0L-3.6 4.4z') },
  busy: {
    label: 'busy: another worker is sending, comes back later',
    shape: path('busy', 'M0-4.4L4.4 0L0 4.4L-4.4 0z'),
  },
  'already-sent': {
    label: 'duplicate: already sent',
    shape: path('already-sent', 'M-4 0.4L-1.2 3.4L4.2-3.4'),
  },
  dispatch: { label: 'dispatch', shape: path('dispatch', 'M0-5.4V5.4') },
  email: { label: 'email arrived', shape: path('email', envelope) },
  lost: {
    label: 'claim lost: does not send',
    shape: path('lost', 'M-4-4L4 4M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0'),
  },
  'in-doubt': { label: 'in doubt, listed', shape: sign('in-doubt', '?') },
  error: { label: 'the processor throws', shape: sign('error', '!') },
  kill: { label: 'SIGKILL', shape: path('kill', 'M-4.2-4.2L4.2 4.2M-4.2 4.2L4.2-4.2') },
  restart: {
    label: 'started again',
    shape: path('restart', 'M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0'),
  },
  cut: { label: 'connection to the store cut', shape: path('cut', 'M2-5.4L-2.4 0.6H2.2L-2 5.4') },
};

/** An email after the first: the customer gets another copy. */
export const secondEmail: Mark = {
  label: 'one more email arrived',
  shape: path('email again', envelope),
};
