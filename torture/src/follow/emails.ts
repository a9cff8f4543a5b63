import {
  type Claim,
  deriveKey,
  type LedgerRecord,
  memoryLedger,
  perform,
  type PerformOptions,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { hook } from './mark-functions.ts';

/** A function that started: its file in packages/core/src, and its name. */
export type Step = readonly [file: string, name: string];

export interface Followed {
  readonly email: string;
  readonly result: string;
  readonly steps: readonly Step[];
}

const sender = 'the sender';

/** An email that is sent by the way of a mail plugin: begin, dispatch, report. */
async function send(claim: Claim): Promise<string> {
  const email = mark('claim.begin()', () => claim.begin());
  await mark('effect.dispatch()', () => email.dispatch());
  mark('effect.report(sent)', () => email.report({ verdict: 'sent' }));
  return 'sent';
}

/** An email whose server falls silent after the final dot. */
async function sendInVain(claim: Claim): Promise<string> {
  const email = mark('claim.begin()', () => claim.begin());
  await mark('effect.dispatch()', () => email.dispatch());
  mark('effect.report(unknown)', () => email.report({ verdict: 'unknown', note: 'ETIMEDOUT' }));
  throw new Error('no reply');
}

/** Follows an email of each kind through core. */
export async function followEmails(): Promise<Followed[]> {
  const at = { dispatch: 'at-send' } as const;
  return [
    await follow('sent', send, at),
    await follow('lost: another attempt sent it', send, at, (options) => perform(send, options)),
    await follow('doubtful: no reply after the dot', sendInVain, at),
    await follow('replayed', send, { ...at, replayWithinMs: 60_000 }, leaveInDoubt),
  ];
}

async function leaveInDoubt({ ledger, key }: PerformOptions): Promise<void> {
  const attempt = { key, token: createToken(), leaseMs: 30_000, retentionMs: 60_000 };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt' });
}

async function follow(
  email: string,
  effect: (claim: Claim) => Promise<string>,
  options: Partial<PerformOptions>,
  prepare?: (options: PerformOptions) => Promise<unknown>,
): Promise<Followed> {
  const all: PerformOptions = {
    ledger: memoryLedger(),
    key: deriveKey(['followed', email]),
    ...options,
  };
  await prepare?.(all);
  const steps: Step[] = [];
  listener = (step) => steps.push(step);
  const performed = await perform(effect, all).finally(() => (listener = undefined));
  const record: LedgerRecord | undefined = await all.ledger.read(all.key);
  return { email, result: `${performed.state}, record ${record?.state}`, steps };
}

let listener: ((step: Step) => void) | undefined;
(globalThis as Record<string, unknown>)[hook] = (file: string, name: string) =>
  listener?.([file, name]);

function mark<T>(name: string, call: () => T): T {
  listener?.([sender, name]);
  return call();
}
