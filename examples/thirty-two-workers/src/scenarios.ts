import { count } from './plural.ts';

/** The causes of duplicates: the columns of the table. */
export const scenarioIds = [
  'copies',
  'blocked',
  'killed-after',
  'killed-before',
  'frozen',
  'error-after',
  'connection-dies',
  'lost-reply',
] as const;

export type ScenarioId = (typeof scenarioIds)[number];

export interface Scenario {
  readonly title: string;
  /** What happens, for the report. */
  readonly story: string;
  /** Whether a sender dies between dispatch and outcome, which leaves an unavoidable doubt. */
  readonly mayLeaveDoubt: boolean;
}

/** The scenarios by id; `workers` is also the number of copies. */
export function scenariosFor(workers: number): Readonly<Record<ScenarioId, Scenario>> {
  return {
    copies: {
      title: `${count(workers, 'copy', 'copies')} of the job`,
      story:
        `The producer added the delayed job ${count(workers, 'time')}, and all of the copies fall due at the ` +
        'same moment. This happened in production: one copy for each worker.',
      mayLeaveDoubt: false,
    },
    blocked: {
      title: 'event loop blocked past the lock',
      story:
        'The first worker computes for so long, just before it sends, that it can renew neither its ' +
        'lock nor its lease. BullMQ takes the job for stalled and gives it to another worker; then ' +
        'the first one continues and sends.',
      mayLeaveDoubt: false,
    },
    'killed-after': {
      title: 'killed after the email left',
      story:
        'The SMTP server has accepted the email and withholds its reply; at that moment the worker ' +
        'gets SIGKILL. The email has arrived and its sender could record nothing. BullMQ gives the ' +
        'job to another worker.',
      mayLeaveDoubt: true,
    },
    'killed-before': {
      title: 'killed before it left',
      story:
        'The worker gets SIGKILL while it renders the email: claimed, not sent. BullMQ gives the job ' +
        'to another worker.',
      mayLeaveDoubt: false,
    },
    frozen: {
      title: 'frozen past the lease',
      story:
        'The worker gets SIGSTOP just before it sends, as in a paused container or a laptop that ' +
        'sleeps, and SIGCONT when lock and lease are over and another worker has done the job. It ' +
        'wakes up in the middle of its work.',
      mayLeaveDoubt: false,
    },
    'error-after': {
      title: 'error after the email left',
      story:
        'The email is sent, then the next line of the processor throws (a database that is down). ' +
        'The job has 5 attempts.',
      mayLeaveDoubt: false,
    },
    'connection-dies': {
      title: 'server accepts, connection dies',
      story:
        'The SMTP server accepts the email, and the connection is reset before its reply. The worker ' +
        'sees an error and cannot know. The job has 5 attempts.',
      mayLeaveDoubt: true,
    },
    'lost-reply': {
      title: 'store cut after the claim',
      story:
        'The store of the guard (Redis, PostgreSQL) executes its first command, and the connection is reset before ' +
        'the reply. A Redis client connects again and sends the command a second time.',
      mayLeaveDoubt: false,
    },
  };
}
