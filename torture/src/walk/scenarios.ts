import type { Ledger } from '@sendonce/core';
import type { Fault } from '@sendonce/testkit';
import type { FaultName } from '@sendonce/testkit/providers/provider-faults';
import type { Verdict } from '../check.ts';
import type { Route } from '../email.ts';
import type { LedgerName } from '../systems/names.ts';

/** How an email ends; anything else is a violation. */
export type Outcome = Extract<
  Verdict,
  'sent once' | 'rejected' | 'skipped' | 'cancelled' | 'in doubt, listed'
>;

export type Verb = Extract<
  keyof Ledger,
  'claim' | 'dispatch' | 'settle' | 'release' | 'heartbeat' | 'resolve'
>;

/**
 * One way of a job through once(). The scenarios together reach every await on the path of a job.
 */
export interface Scenario {
  readonly name: string;
  readonly route: Route;
  /** How it ends where nothing is struck. */
  readonly end: Outcome;
  /**
   * It ends so wherever it is struck: the next attempt finds the outcome, or has nothing to do.
   * @default false
   */
  readonly certain?: true;
  /** Only on this ledger. @default all */
  readonly only?: LedgerName;
  /** How many jobs ask for the email. @default 1 */
  readonly copies?: number;
  /** How many of them run at the same time. @default 1 */
  readonly atOnce?: number;
  /** What goes wrong at the mail server, once. */
  readonly mail?: Fault;
  /** What goes wrong at the provider, once. */
  readonly provider?: FaultName;
  /** What the processor does beside sending, in its first attempt. */
  readonly processor?:
    | 'throws before the send'
    | 'throws after the send'
    | 'skips'
    | 'returns without a send'
    | 'sends after its return'
    | 'returns what is not JSON'
    | 'takes long before the send'
    | 'takes long after the send'
    | 'blocks the event loop'
    | 'is cancelled before the send'
    | 'is closed by force';
  /** What it sends by. @default one SMTP connection for each email */
  readonly transport?: 'pool' | 'not SMTP' | 'sendWith';
  /** Asks the mail server's log. */
  readonly resolver?: 'knows' | 'throws, then knows';
  /** The copies of the job differ in what must not change. */
  readonly conflict?: true;
  /** The time of the email. */
  readonly notAfter?: 'is over' | 'is not over';
  /** What the job does when the provider asks to wait. @default 'throw' */
  readonly onRefused?: 'rate-limit';
  /** What the ledger holds before. */
  readonly before?: 'cancelled' | 'cancelled on one node' | 'in doubt';
  /**
   * A verb that the ledger does not answer at first: the first call is executed, the second is not.
   */
  readonly silentAt?: Verb;
  /** What happens to the connections to the ledger just before the send. */
  readonly network?: 'stalls' | 'is cut';
  /**
   * The first one of a process, on a ledger that is new: it makes its tables, the doctor looks at
   * it.
   */
  readonly first?: true;
}

/** Those that every system can go through, and that the short form walks. */
export const plainScenarios: readonly Scenario[] = [
  { name: 'at send', route: 'at-send', end: 'sent once' },
  { name: 'before the processor', route: 'before-processor', end: 'sent once' },
  { name: 'by a provider', route: 'provider', end: 'sent once', certain: true },
];

const rejects: Fault = { at: 'dot-before-accept', how: '5xx', times: Infinity };
const refuses: Fault = { at: 'rcpt', how: '4xx' };
const losesItsReply: Fault = { at: 'dot-after-accept', how: 'reset' };
const losesTheEmail: Fault = { at: 'dot-before-accept', how: 'reset' };

const atSend = { route: 'at-send', end: 'sent once' } as const;
const provided = { route: 'provider', end: 'sent once', certain: true } as const;

export const scenarios: readonly Scenario[] = [
  ...plainScenarios,
  { ...atSend, name: 'first email on a new ledger', first: true },
  { ...atSend, name: 'pool', transport: 'pool' },
  { ...atSend, name: 'another transport', transport: 'not SMTP' },
  { ...atSend, name: 'a copy afterwards', copies: 2 },
  {
    ...atSend,
    name: 'two copies at once',
    copies: 2,
    atOnce: 2,
    processor: 'takes long before the send',
  },
  { ...atSend, name: 'conflict', copies: 2, conflict: true },
  { ...atSend, name: 'refused for now', mail: refuses },
  { ...atSend, name: 'rejected', end: 'rejected', mail: rejects, copies: 2 },
  { ...atSend, name: 'unknown after the dot', end: 'in doubt, listed', mail: losesItsReply },
  {
    ...atSend,
    name: 'unknown, resolver: sent',
    mail: losesItsReply,
    resolver: 'knows',
    certain: true,
  },
  {
    ...atSend,
    name: 'unknown, resolver: not sent',
    mail: losesTheEmail,
    resolver: 'knows',
    certain: true,
  },
  {
    ...atSend,
    name: 'unknown, resolver throws',
    mail: losesItsReply,
    resolver: 'throws, then knows',
    copies: 2,
  },
  { ...provided, name: 'provider, replayed', provider: 'reset-after' },
  { ...provided, name: 'provider, refused', provider: 'too-many' },
  { ...provided, name: 'sendWith()', transport: 'sendWith' },
  { ...provided, name: 'sendWith(), replayed', transport: 'sendWith', provider: 'reset-after' },
  { ...provided, name: 'sendWith(), refused', transport: 'sendWith', provider: 'too-many' },
  {
    ...provided,
    name: 'provider, asks to wait',
    provider: 'too-many',
    onRefused: 'rate-limit',
  },
  { ...atSend, name: 'time is not over', notAfter: 'is not over' },
  { ...atSend, name: 'time is over', end: 'skipped', notAfter: 'is over', certain: true },
  {
    ...atSend,
    name: 'a doubt that was there',
    end: 'in doubt, listed',
    before: 'in doubt',
    certain: true,
  },
  { ...atSend, name: 'cancelled', end: 'cancelled', before: 'cancelled', certain: true },
  {
    ...atSend,
    name: 'cancelled under its claim',
    end: 'cancelled',
    processor: 'is cancelled before the send',
  },
  {
    ...atSend,
    name: 'cancelled on one node',
    end: 'cancelled',
    before: 'cancelled on one node',
    only: 'redlock',
  },
  { ...atSend, name: 'skipped', end: 'skipped', processor: 'skips', copies: 2 },
  {
    name: 'skipped, dispatched before',
    route: 'before-processor',
    end: 'skipped',
    processor: 'skips',
  },
  {
    ...atSend,
    name: 'returns without a send',
    end: 'in doubt, listed',
    processor: 'returns without a send',
  },
  {
    ...atSend,
    name: 'sends after its return',
    end: 'in doubt, listed',
    processor: 'sends after its return',
  },
  { ...atSend, name: 'throws before the send', processor: 'throws before the send' },
  { ...atSend, name: 'throws after the send', processor: 'throws after the send' },
  {
    name: 'throws, dispatched before',
    route: 'before-processor',
    end: 'in doubt, listed',
    processor: 'throws before the send',
  },
  { ...atSend, name: 'not JSON', processor: 'returns what is not JSON' },
  { ...atSend, name: 'longer than a lease', processor: 'takes long before the send' },
  {
    name: 'longer, dispatched before',
    route: 'before-processor',
    end: 'sent once',
    processor: 'takes long after the send',
  },
  { ...atSend, name: 'blocked past its lease', processor: 'blocks the event loop' },
  { ...atSend, name: 'worker.close(true)', processor: 'is closed by force' },
  { ...atSend, name: 'no answer at claim', silentAt: 'claim' },
  {
    name: 'no answer at claim, dispatched',
    route: 'before-processor',
    end: 'sent once',
    silentAt: 'claim',
  },
  { ...atSend, name: 'no answer at dispatch', silentAt: 'dispatch' },
  { ...atSend, name: 'no answer at settle', silentAt: 'settle' },
  { ...atSend, name: 'no answer at release', silentAt: 'release', mail: refuses },
  {
    ...atSend,
    name: 'no answer at resolve',
    silentAt: 'resolve',
    mail: losesItsReply,
    resolver: 'knows',
    certain: true,
  },
  {
    ...atSend,
    name: 'no answer at heartbeat',
    silentAt: 'heartbeat',
    processor: 'takes long before the send',
  },
  // The mail server gives up while the dispatch is on its way.
  {
    ...atSend,
    name: 'network stalls',
    network: 'stalls',
    mail: { at: 'body', how: 'reset' },
  },
  { ...atSend, name: 'network is cut', network: 'is cut' },
  // Its session was the lease: the processor heeds the signal, after the point of no return.
  {
    name: 'network is cut, dispatched before',
    route: 'before-processor',
    end: 'in doubt, listed',
    network: 'is cut',
    only: 'postgres',
  },
];
