import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  type Claim,
  deriveKey,
  type Ledger,
  memoryLedger,
  perform,
  type Performed,
  type PerformOptions,
} from '@sendonce/core';
import { type SmtpServer, startSmtpServer } from '@sendonce/testkit';
import type { SendMailOptions, SentMessageInfo, Transporter } from 'nodemailer';
import type { TestContext } from 'vitest';
import { dispatchAtSend, type DispatchAtSendOptions } from '../src/index.ts';

export const majors = [6, 7, 8, 9, 10] as const;
export type Major = (typeof majors)[number];

const require = createRequire(import.meta.url);

/** The nodemailer of a major version. The types are those of 10. */
export function nodemailerOf(major: Major): typeof import('nodemailer') {
  return require(major === 10 ? 'nodemailer' : `nodemailer${major}`);
}

/** Concurrent tests have separate clean-ups only through their context. */
export type Test = Pick<TestContext, 'onTestFinished'>;

export interface TransporterOptions extends DispatchAtSendOptions {
  readonly major?: Major;
  readonly pool?: boolean;
  readonly plugin?: boolean;
  /**
   * How long to wait for a silent server. Long enough that a busy machine makes no doubt. @default
   * 5000
   */
  readonly timeoutMs?: number;
  readonly transport?: Record<string, unknown>;
}

/** A transporter with the plugin; closed when the test is over. */
export function transporterTo(
  test: Test,
  { host, port }: { host: string; port: number },
  {
    major = 10,
    pool,
    plugin = true,
    timeoutMs = 20_000,
    transport,
    ...options
  }: TransporterOptions = {},
): Transporter {
  const transporter = nodemailerOf(major).createTransport({
    host,
    port,
    ignoreTLS: true,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    ...(pool && { pool: true, maxConnections: 2 }),
    ...transport,
  } as object) as Transporter;
  transporter.on('error', () => {});
  if (plugin) transporter.use('stream', dispatchAtSend(options));
  test.onTestFinished(() => transporter.close());
  return transporter;
}

/** An SMTP server that is closed when the test is over. */
export async function smtpServer(
  test: Test,
  options: Parameters<typeof startSmtpServer>[0] = {},
): Promise<SmtpServer> {
  const server = await startSmtpServer(options);
  test.onTestFinished(() => server.close());
  return server;
}

export function email(more: SendMailOptions = {}): SendMailOptions {
  return {
    from: 'shop@shop.example',
    to: 'customer@customer.example',
    subject: 'On its way',
    text: 'Your parcel is on its way.',
    ...more,
  };
}

export interface Job {
  readonly ledger: Ledger;
  readonly key: string;
}

export function newJob(): Job {
  return { ledger: memoryLedger(), key: deriveKey(['test', randomUUID()]) };
}

/** What one perform() ended with: its state, or the error that says that nothing was sent. */
export type Ended =
  | { readonly state: Performed<unknown>['state']; readonly error?: unknown }
  | { readonly state: 'threw'; readonly error: unknown };

export async function attempt<R = SentMessageInfo>(
  job: Job,
  effect: (claim: Claim) => Promise<R> | R,
  options: Partial<PerformOptions> = {},
): Promise<Ended> {
  try {
    return await perform(effect, { dispatch: 'at-send', ...job, ...options });
  } catch (error) {
    return { state: 'threw', error };
  }
}

/** The state of the record, or "absent". */
export async function recordState({ ledger, key }: Job): Promise<string> {
  return (await ledger.read(key))?.state ?? 'absent';
}

export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}
