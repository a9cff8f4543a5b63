import type { LedgerRecord } from '@sendonce/core';
import { textsOf } from '../table/record-after.ts';
import { type AttemptTraits, type ConcreteCommand, NAMES } from './commands.ts';
import type { Answered, Reply } from './explain.ts';
import type { Outcome, Span, StoredRecord } from './reference.ts';

/** How a run is written down, one line a step. */

export function commandLine(command: ConcreteCommand): string {
  if (command.verb === 'list') return `list ${command.state}`;
  if (command.verb === 'heartbeat') return `heartbeat ${command.of.map(nameOf).join(', ')}`;
  const name = nameOf(command.of);
  switch (command.verb) {
    case 'claim':
      return `claim ${command.dispatched ? 'and dispatch ' : ''}${name}${command.altered ? ', altered' : ''}`;
    case 'settle': {
      const late = command.late && command.outcome === 'in-doubt' ? ', too late' : '';
      return `settle ${name} as ${command.outcome}${command.bare ? '' : ', with texts'}${late}`;
    }
    case 'resolve':
      return `resolve ${name} as ${command.verdict}`;
    case 'cancel':
    case 'read':
      return `${command.verb} the email of ${name}`;
    default:
      return `${command.verb} ${name}`;
  }
}

/** A command and its answers. */
export interface Exchange {
  /** As it is written down. */
  readonly command: string;
  readonly answers: readonly Answered[];
  /** Whether it changes nothing. */
  readonly asksOnly: boolean;
}

export function exchangesLine(exchanges: readonly Exchange[]): string {
  const parts = exchanges.map(
    ({ command, answers }) => `${command} -> ${answers.map(answerOf).join(', ')}`,
  );
  return `${exchanges.length > 1 ? 'together: ' : ''}${parts.join(' | ')}`;
}

function answerOf({ reply }: Answered): string {
  return reply ? shortly(reply) : 'no answer';
}

/** How the attempts that took part differ from the plainest one. */
export function attemptLines(
  attempts: readonly AttemptTraits[],
  lines: readonly string[],
): string[] {
  return attempts.flatMap(({ shortLease, shortRetention, fingerprint }, index) => {
    const takesPart = lines.some((line) => new RegExp(`\\b${nameOf(index)}\\b`).test(line));
    const traits = [
      shortLease && 'a short lease',
      shortRetention && 'a short retention',
      fingerprint !== null && `the fingerprint ${fingerprint}`,
    ].filter(Boolean);
    return takesPart && traits.length > 0 ? [`${nameOf(index)} has ${traits.join(', ')}`] : [];
  });
}

/** What was answered and what should have been; at length where their statuses are the same. */
export function differenceLine(reply: Reply, allowed: readonly Outcome[]): string {
  const same = allowed.some(({ status }) => status === reply.status);
  const expected = allowed.map(({ status, shown, fields }) =>
    same ? atLength({ status, fields }, shown) : status,
  );
  const { status, record, place: _place, fields, ...times } = reply;
  const answered = same
    ? `${atLength({ status, fields }, record)} ${JSON.stringify(times)}`
    : shortly(reply);
  return `${answered}, the reference says: ${[...new Set(expected)].join(' or ')}`;
}

function shortly({ status, record }: Reply): string {
  if (!record || record.state === status) return status;
  return `${status} (${record.state}${record.token && ` by ${record.token[0]}`})`;
}

function atLength(
  { status, fields = [] }: Pick<Outcome, 'status' | 'fields'>,
  shown: LedgerRecord | StoredRecord | undefined,
): string {
  if (!shown) return `${status} (nothing)`;
  const { state, token } = shown;
  const by = token === '' ? '' : ` by ${token[0]}`;
  const at = 'at' in shown ? spanOf(shown.at) : shown.atMs;
  return `${[status, ...fields].join(' ')} (${state}${by} at ${at} ms ${JSON.stringify(textsOf(shown))})`;
}

function spanOf({ fromMs, toMs }: Span): string {
  return fromMs === toMs ? String(fromMs) : `${fromMs} to ${toMs}`;
}

function nameOf(index: number): string {
  return NAMES[index] ?? '?';
}
