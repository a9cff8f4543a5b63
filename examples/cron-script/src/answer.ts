import { isSendonceError, type LedgerRecord, type Performed } from '@sendonce/core';
import { mailErrorNote } from '@sendonce/mail';
import type { Sent } from './report.ts';

export const exitCodes = {
  done: 0,
  notSent: 1,
  usage: 2,
  inDoubt: 3,
  rejected: 4,
  /** EX_TEMPFAIL of sysexits.h. */
  busy: 75,
} as const;

/** What the script says: one line for people, the rest for `--json`. */
export interface Answer {
  readonly state: Performed<Sent>['state'] | 'not-sent' | 'not-recorded' | 'not-in-doubt';
  readonly exitCode: number;
  readonly line: string;
  readonly messageId?: string | undefined;
}

export function answerOf(performed: Performed<Sent>): Answer {
  const { state } = performed;
  const { done, inDoubt, rejected, busy } = exitCodes;
  switch (state) {
    case 'sent': {
      const { messageId } = performed.value;
      return { state, exitCode: done, line: `sent, Message-ID ${messageId}`, messageId };
    }
    case 'busy': {
      const seconds = Math.ceil(performed.retryAfterMs / 1000);
      const line = `busy: another attempt is sending it, this one sent nothing. Run it again in ${seconds} s.`;
      return { state, exitCode: busy, line };
    }
    case 'duplicate':
      return recorded(performed, done, (details) => `duplicate: sent ${details}`);
    case 'skipped':
      return { state, exitCode: done, line: `skipped (${performed.reason}): not sent` };
    case 'cancelled':
      return recorded(performed, done, (details) => `cancelled ${details}: not sent`);
    case 'in-doubt':
      return recorded(
        performed,
        inDoubt,
        (details) => `in doubt: dispatched ${details}. ${lookItUp}`,
      );
    case 'rejected':
      return recorded(performed, rejected, (details) => `rejected ${details}: ${correctIt}`);
    case 'conflict':
      // Only with a fingerprint, which this script does not give.
      return recorded(
        performed,
        rejected,
        (details) => `conflict with the email ${details}: not sent`,
      );
  }
}

/** The message of a mail error may hold an address: only its code is shown. */
export function answerOfError(error: unknown): Answer {
  const ours = isSendonceError(error);
  const why = ours ? error.message : `the mail server said ${mailErrorNote(error)}.`;
  if (ours && error.mayHaveLeft !== 'no') {
    return { state: 'not-recorded', exitCode: exitCodes.inDoubt, line: `in doubt: ${why}` };
  }
  return { state: 'not-sent', exitCode: exitCodes.notSent, line: `not sent, run it again: ${why}` };
}

export const nothingToResolve: Answer = {
  state: 'not-in-doubt',
  exitCode: exitCodes.usage,
  line: 'not in doubt: there is nothing to resolve, and nothing was sent.',
};

const lookItUp =
  "It may have left, and is not sent again. Look for its Message-ID in the mail server's log, then " +
  'run this again with --resolve sent or --resolve not-sent.';
const correctIt =
  'not sent, and not tried again. Correct the cause, then run this again with --resolve not-sent.';

function recorded(
  { state, record }: Pick<Answer, 'state'> & { readonly record: LedgerRecord },
  exitCode: number,
  toLine: (details: string) => string,
): Answer {
  const { by, atMs, messageId, note, resolvedBy } = record;
  const why = resolvedBy === undefined ? note : `resolved by ${resolvedBy}`;
  const parts = [
    by === undefined ? '' : `by ${by} `,
    `at ${new Date(atMs).toISOString()}`,
    messageId === undefined ? '' : `, Message-ID ${messageId}`,
    why === undefined ? '' : ` (${why})`,
  ];
  return { state, exitCode, line: toLine(parts.join('')), messageId };
}
