import type { LedgerRecord, RecordState } from '@sendonce/core';

/**
 * The transition table of `packages/core/src/ledger.ts`, cell by cell:
 * verb (empty: as above), from, guard, to, reply. A test compares the two.
 */
export const TABLE_CELLS = [
  ['claim', 'absent, skipped, claimed own', '', 'claimed ¹', 'won'],
  ['', 'dispatched own', '', '= ²', 'won'],
  ['', 'cancelled', '', '=', 'cancelled'],
  ['', 'any other', 'fingerprints differ ³', '=', 'conflict'],
  ['', 'claimed, dispatched other', '', '=', 'busy'],
  ['', 'in doubt (own, too)', '', '=', 'in-doubt'],
  ['', 'sent', '', '=', 'duplicate'],
  ['', 'rejected', '', '=', 'rejected'],
  ['dispatch', 'absent, skipped', '', '=', 'expired'],
  ['', 'claimed own', '', 'dispatched', 'dispatched'],
  ['', 'dispatched own', '', '= ²', 'dispatched'],
  ['', 'any other', '', '=', 'as for claim, without conflict'],
  ['settle', 'dispatched, in doubt, sent, rejected: other', '', '=', 'lost'],
  ['settle sent', 'cancelled', 'undispatched ⁴', '=', 'lost'],
  ['', 'any other', '', 'sent', 'settled'],
  ['settle rejected', 'cancelled', '', '=', 'lost'],
  ['', 'any other', '', 'rejected', 'settled'],
  ['settle skipped', 'cancelled, sent, rejected', '', '=', 'lost'],
  ['', 'claimed other', '', '=', 'lost'],
  ['', 'any other', '', 'skipped', 'settled'],
  ['settle in-doubt', 'cancelled, sent, rejected', '', '=', 'lost'],
  ['', 'any other', '', 'in doubt ⁵', 'settled'],
  ['release', 'absent, skipped', '', '=', 'released'],
  ['', 'claimed, dispatched own', '', 'absent', 'released'],
  ['', 'in doubt own', '', '=', 'in-doubt'],
  ['', 'any other', '', '=', 'lost'],
  ['heartbeat', 'claimed own', '', '= ²', 'kept'],
  ['', 'dispatched, in doubt own', '', 'dispatched ²', 'kept'],
  ['', 'any other', '', '=', 'lost'],
  ['resolve sent', 'in doubt own', '', 'sent', 'resolved'],
  ['', 'sent own', '', '=', 'resolved'],
  ['', 'any other', '', '=', 'not-in-doubt'],
  ['resolve not-sent', 'absent', '', '=', 'resolved'],
  ['', 'in doubt, rejected own', '', 'absent', 'resolved'],
  ['', 'any other', '', '=', 'not-in-doubt'],
  ['cancel', 'absent, skipped, claimed, cancelled', '', 'cancelled', 'cancelled'],
  ['', 'any other', '', '=', 'too-late'],
] as const satisfies readonly Cells[];

type Cells = readonly [verb: string, from: string, guard: string, to: string, reply: string];

/** A verb, with its outcome or verdict: the first column of the table. */
export type Step =
  | 'claim'
  | 'dispatch'
  | 'settle sent'
  | 'settle rejected'
  | 'settle skipped'
  | 'settle in-doubt'
  | 'release'
  | 'heartbeat'
  | 'resolve sent'
  | 'resolve not-sent'
  | 'cancel';

/** Under which circumstances a verb is executed: what decides which row applies. */
export interface Met {
  readonly state: RecordState | 'absent';
  /** Whether the record has the token of the caller. */
  readonly isOwn: boolean;
  /** Whether both sides have a fingerprint, and the fingerprints differ. */
  readonly fingerprintsDiffer: boolean;
  /** Whether the caller says that none of its dispatches was acknowledged. */
  readonly isUndispatched: boolean;
}

/** The guards of the table. */
const guards: Readonly<Record<string, (met: Met) => boolean>> = {
  '': () => true,
  'fingerprints differ ³': ({ fingerprintsDiffer }) => fingerprintsDiffer,
  'undispatched ⁴': ({ isUndispatched }) => isUndispatched,
};

/** One row of the table. */
export interface Transition {
  /** The row as a sentence, for titles and errors. */
  readonly title: string;
  /** `=`: the record stays as it is. */
  readonly to: RecordState | 'absent' | '=';
  /** Whether the lease, or the mark "still being sent", starts anew. */
  readonly renews: boolean;
  /** The state of the reply, or undefined where it is that of a claim. */
  readonly reply: string | undefined;
  readonly applies: (step: Step, met: Met) => boolean;
}

/** The rows, in the order of the table. The first one that applies counts. */
export const transitions: readonly Transition[] = readRows(TABLE_CELLS);

/** The row that applies, and the state that the reply has. */
export function transitionFor(step: Step, met: Met): { row: Transition; reply: string } {
  const row = transitions.find(({ applies }) => applies(step, met));
  if (!row) throw new Error(`The table has no row for ${step} from ${met.state}.`);
  if (row.reply !== undefined) return { row, reply: row.reply };
  return { row, reply: transitionFor('claim', { ...met, fingerprintsDiffer: false }).reply };
}

/** By what a ledger tells one caller from another. */
export interface Caller {
  readonly token?: string;
  readonly fingerprint?: string | undefined;
  readonly undispatched?: true | undefined;
}

/** What a caller with this token and fingerprint meets. */
export function meet(
  record: Pick<LedgerRecord, 'state' | 'token' | 'fingerprint'> | undefined,
  caller: Caller,
): Met {
  const { state = 'absent' } = record ?? {};
  const ours = caller.fingerprint;
  const theirs = record?.fingerprint;
  return {
    state,
    isOwn: record !== undefined && record.token === caller.token,
    fingerprintsDiffer: ours !== undefined && theirs !== undefined && ours !== theirs,
    isUndispatched: caller.undispatched === true,
  };
}

function readRows(rows: readonly Cells[]): readonly Transition[] {
  let verb = '';
  return rows.map(([verbCell, from, guard, to, reply]) => {
    verb = verbCell || verb;
    const rowVerb = verb;
    const isFrom = readFrom(from);
    return {
      title: [rowVerb, `from ${from}`, guard && `if ${guard}`, `-> ${to}, ${reply}`]
        .filter(Boolean)
        .join(' '),
      to: readState(to.replace(/ [¹²³⁴⁵]$/, '')) as Transition['to'],
      renews: to.endsWith('²'),
      reply: reply.startsWith('as for claim') ? undefined : reply,
      applies: (step, met) =>
        (step === rowVerb || step.startsWith(`${rowVerb} `)) && isFrom(met) && guards[guard]!(met),
    };
  });
}

function readFrom(cell: string): (met: Met) => boolean {
  if (cell === 'any other') return () => true;
  const [, states = '', holder] = /^(.*?)(?: \(own, too\)|:? (own|other))?$/.exec(cell) ?? [];
  const allowed = states.split(', ').map(readState);
  return ({ state, isOwn }) => {
    const isHolder = holder === undefined || isOwn === (holder === 'own');
    return allowed.includes(state) && (isNobodys.has(state) || isHolder);
  };
}

/** The states in which the token of the caller makes no difference. */
const isNobodys: ReadonlySet<string> = new Set(['absent', 'skipped']);

function readState(words: string): string {
  return words === 'in doubt' ? 'in-doubt' : words;
}
