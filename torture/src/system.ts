import type { Job, JobsOptions } from 'bullmq';
import type { Transporter } from 'nodemailer';
import type { Email, Notice, Route } from './email.ts';
import type { WorkerPlan } from './messages.ts';

export type NoticeJob = Job<Notice, Sent | undefined>;

export interface Sent {
  readonly messageId: string | undefined;
}

export type NoticeProcessor = (
  job: NoticeJob,
  token?: string,
  signal?: AbortSignal,
) => Promise<Sent | undefined>;

/** What a worker process gives to the system that it runs. */
export interface Tools {
  readonly plan: WorkerPlan;
  /** The processor as anybody writes it: renders, sends, notes that it has sent. */
  readonly processor: NoticeProcessor;
  /**
   * What it sends by: `provider` is Resend's API with an idempotency key, the others speak SMTP.
   */
  readonly transporters: Readonly<
    Record<Route, Transporter<{ readonly messageId?: string | undefined }>>
  >;
  /** Tells the history what happens to a job's email. */
  readonly tell: (job: NoticeJob, what: string, token?: string) => void;
}

export interface Opened {
  readonly processor: NoticeProcessor;
  readonly close: () => Promise<void>;
}

/** One way to make an email go out once: ours, or what people use today. */
export interface System {
  /** As in the table. */
  readonly title: string;
  /** The packages that make it, for their versions. */
  readonly packages: readonly string[];
  /** How it was set up, and after which page, in a sentence. */
  readonly setup: string;
  readonly store: Store;
  /** Its records are on the queue's own server, as most people have it. */
  readonly sharesQueue?: true;
  /** What the producer adds to a job's options. */
  jobOptions?(email: Pick<Email, 'number'>): JobsOptions;
  /** In a worker process: wraps the processor. */
  open(tools: Tools): Promise<Opened>;
}

/** Which servers a system needs beside the queue's Redis. */
export type Store = 'none' | 'redis' | 'redlock' | 'postgres';
