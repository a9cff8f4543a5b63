/** What stands between the job and the email: the rows of the table. */
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
    how: "pg_advisory_lock around the processor, each waits its turn: the post's own lock.",
  },
  'naive-lease': {
    title: 'SET NX, lease',
    how: 'SET key 1 PX lease NX; who does not get it takes the email for sent.',
  },
  'naive-forever': {
    title: 'SET NX, for ever',
    how: 'SET key 1 NX; who does not get it takes the email for sent.',
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

/** Whether it is one of ours: its row must be as promised. */
export function isSendonce(guard: GuardId): boolean {
  return guard.startsWith('sendonce');
}

/** Where a guard remembers what it remembers. */
export function storeOf(guard: GuardId): 'redis' | 'redlock' | 'postgres' {
  if (guard.endsWith('-postgres')) return 'postgres';
  return guard === 'sendonce-redlock' ? 'redlock' : 'redis';
}
