import type { Resolution } from '@sendonce/core';
import { formToken } from './csrf.ts';
import { type Html, html } from './html.ts';
import type { Viewer } from './options.ts';
import { type RetryResult, retryResults } from './retry-after-verdict.ts';

export type Verdict = Resolution['verdict'];

/** What a viewer has found out about an email in doubt. */
export interface Decision {
  readonly verdict: Verdict;
  /** The token of the doubt. */
  readonly token: string;
  readonly why: string;
}

export function isVerdict(value: unknown): value is Verdict {
  return value === 'sent' || value === 'not-sent';
}

/** How the viewer knows, in one line. */
export function readReason(form: URLSearchParams): string {
  return (form.get('why') ?? '').replace(/\s+/g, ' ').trim().slice(0, 500);
}

/** The viewer and the email that a link is made for. It shows nothing to another viewer. */
interface LinkScope {
  readonly key: string;
  readonly viewer: Viewer;
  readonly secret: string;
}

interface RecordedVerdict {
  readonly decided: string;
  readonly job: string;
}

/**
 * The query of the page after a verdict. It is signed: a link that another person made shows no
 * verdict.
 */
export function verdictLink(recorded: RecordedVerdict, scope: LinkScope): string {
  return new URLSearchParams({ ...recorded, seal: signVerdict(recorded, scope) }).toString();
}

/** What the viewer has just decided. Undefined if the query has no genuine seal. */
export function verdictNotice(query: URLSearchParams, scope: LinkScope): Html | undefined {
  const [decided, job, seal] = ['decided', 'job', 'seal'].map((name) => query.get(name) ?? '') as [
    string,
    string,
    string,
  ];
  if (seal !== signVerdict({ decided, job }, scope)) return undefined;
  const result = retryResults.find((one) => one === job) ?? 'unknown';
  return html`Your verdict is recorded: it was ${decided === 'sent' ? 'sent' : 'not sent'}.
  ${retryMessages[result]}`;
}

function signVerdict(
  { decided, job }: RecordedVerdict,
  { key, viewer, secret }: LinkScope,
): string {
  return formToken(secret, viewer.name, `${key} ${decided} ${job}`);
}

const retryMessages: Readonly<Record<RetryResult, string>> = {
  retried: 'Its job was retried.',
  'not-failed': 'Its job has not failed: it is waiting, running or completed.',
  'no-job': 'Its job is not in the queue any more: schedule the email again if it has to be sent.',
  'no-queue': 'The dashboard does not have the queue of its job: retry the job yourself.',
  unknown: 'Its queue did not answer: check whether the job was retried, and retry it if not.',
};
