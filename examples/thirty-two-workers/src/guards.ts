/** What stands between the job and the email: the rows of the table. */
export const guardIds = ['none', 'lock-only', 'naive-lease', 'naive-forever', 'sendonce'] as const;

export type GuardId = (typeof guardIds)[number];

export interface Guard {
  readonly title: string;
  readonly how: string;
}

export const guards: Readonly<Record<GuardId, Guard>> = {
  none: { title: 'none', how: 'The processor as it is.' },
  'lock-only': {
    title: 'lock only',
    how: "redlock around the processor, each waits its turn: the post's advisory lock.",
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
    how: 'once(processor, { ledger, key, dispatch: "at-send" }) and dispatchAtSend().',
  },
};
