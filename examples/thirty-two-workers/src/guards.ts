/** The guards between the job and the email: the rows of the table. */
export const guardIds = [
  'none',
  'lock-only',
  'lock-only-postgres',
  'naive-lease',
  'naive-forever',
  'sendonce',
  'sendonce-redlock',
  'sendonce-postgres',
] as const;

export type GuardId = (typeof guardIds)[number];

export interface Guard {
  readonly title: string;
  readonly how: string;
}

export const guards: Readonly<Record<GuardId, Guard>> = {
  none: { title: 'none', how: 'The processor as it is.' },
  'lock-only': {
    title: 'lock only, redlock',
    how: 'redlock around the processor, each waits its turn.',
  },
  'lock-only-postgres': {
    title: 'lock only, Postgres',
    how: 'pg_advisory_lock around the processor, each waits its turn: an advisory lock.',
  },
  'naive-lease': {
    title: 'SET NX, lease',
    how: 'SET key 1 PX lease NX; a worker that does not get it treats the email as sent.',
  },
  'naive-forever': {
    title: 'SET NX, for ever',
    how: 'SET key 1 NX; a worker that does not get it treats the email as sent.',
  },
  sendonce: {
    title: 'sendonce',
    how: 'once(processor, { ledger, key, dispatch: "at-send" }) and dispatchAtSend(), on one Redis.',
  },
  'sendonce-redlock': {
    title: 'sendonce, redlock',
    how: 'The same with redlockLedger() on three Redis servers.',
  },
  'sendonce-postgres': {
    title: 'sendonce, Postgres',
    how: 'The same with postgresLedger().',
  },
};

/** Whether it is a guard of sendonce, whose row must be as promised. */
export function isSendonce(guard: GuardId): boolean {
  return guard.startsWith('sendonce');
}

/** The store of a guard. */
export function storeOf(guard: GuardId): 'redis' | 'redlock' | 'postgres' {
  if (guard.endsWith('-postgres')) return 'postgres';
  return guard === 'sendonce-redlock' ? 'redlock' : 'redis';
}
