import { isSendonceError, resolveEmail, type Sources } from '@sendonce/core';
import { type FoundEmail, readEmail } from '@sendonce/core/inspect';
import { page, redirect } from './answer.ts';
import { formToken, isFormToken, isSameOrigin } from './csrf.ts';
import { withDeadline } from './deadline.ts';
import { MOST_BYTES, readForm } from './form-body.ts';
import { type Html, html, said } from './html.ts';
import { framed, messagePage, type Visit } from './layout.ts';
import type { Settings, Viewer } from './options.ts';
import { type JobAfter, jobsAfter, retryJobOf } from './retry-job.ts';
import { stateWords } from './words.ts';

/** The settings, with a journal that cannot hold up a verdict. */
export interface Resolving extends Settings {
  readonly sources: Sources;
}

type Verdict = 'sent' | 'not-sent';

interface Decision {
  readonly verdict: Verdict;
  readonly token: string;
  readonly why: string;
}

/** Takes a verdict, where the form is ours and the viewer may give one. */
export async function resolvePage(
  visit: Visit,
  { viewer, key, request }: { viewer: Viewer; key: string; request: Request },
  settings: Resolving,
): Promise<Response> {
  const refuse = (status: number, text: string) =>
    messagePage(visit, status, 'Nothing was changed', text);
  if (!viewer.mayResolve) {
    return refuse(
      403,
      '"authorize" of the dashboard does not grant you mayResolve: you may look only.',
    );
  }
  if (!isSameOrigin(request))
    return refuse(403, 'This form did not come from a page of this dashboard.');
  const body = await readForm(request);
  if ('status' in body) {
    return body.status === 413
      ? refuse(413, `The form is larger than ${MOST_BYTES} bytes.`)
      : refuse(415, 'Expected a form: application/x-www-form-urlencoded.');
  }
  if (!isFormToken(settings.secret, [viewer.name, key, body.form.get('csrf') ?? ''])) {
    return refuse(
      403,
      'This form is not yours, not of this email, or is older than the server. Open the email again.',
    );
  }
  const decision = decisionOf(body.form);
  if (!decision)
    return refuse(400, 'Expected a verdict, "sent" or "not-sent", and the token of the doubt.');
  return decide(visit, { viewer, key, decision }, settings);
}

function decisionOf(form: URLSearchParams): Decision | undefined {
  const [verdict, token] = [form.get('verdict'), form.get('token') ?? ''];
  if ((verdict !== 'sent' && verdict !== 'not-sent') || token === '') return undefined;
  const why = (form.get('why') ?? '').replace(/\s+/g, ' ').trim().slice(0, 500);
  return { verdict, token, why };
}

async function decide(
  visit: Visit,
  { viewer, key, decision }: { viewer: Viewer; key: string; decision: Decision },
  { sources, findQueue, retentionMs, secret }: Resolving,
): Promise<Response> {
  const { ledger, journal } = sources;
  const { verdict, token, why } = decision;
  // Which job to retry is in the record, that "not sent" removes. And the same verdict again would be taken as a repeat:
  // whoever gives it should hear that it was given.
  const record = await withDeadline(ledger.read(key));
  if (record?.state !== 'in-doubt' || record.token !== token) return lost(visit, sources, key);
  const found = { key, token, verdict, by: viewer.name, why: why || undefined, retentionMs };
  let reply;
  try {
    reply = await withDeadline(resolveEmail(sources, found));
  } catch (error) {
    if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
    return messagePage(
      visit,
      503,
      'Not known',
      'The ledger did not answer: whether your verdict was recorded is not known. It is safe to give it again.',
    );
  }
  if (reply.state === 'not-in-doubt') return lost(visit, sources, key);
  // What the next page shows should be written; a journal that is away holds up nobody.
  await withDeadline(journal?.flush() ?? Promise.resolve(), 1000).catch(() => {});
  const job = await withDeadline(retryJobOf(findQueue, record)).catch(() => 'unknown' as const);
  const told = { decided: verdict, job };
  const seal = sealOf(secret, viewer.name, { key, ...told });
  return redirect(
    `${visit.base}/email/${key}?${new URLSearchParams({ ...told, seal }).toString()}`,
  );
}

/** What the viewer has just decided, as the redirect tells it; a link that somebody else made says nothing. */
export function decidedWords(
  query: URLSearchParams,
  { key, viewer, secret }: { key: string; viewer: Viewer; secret: string },
): Html | undefined {
  const [decided, job, seal] = ['decided', 'job', 'seal'].map((name) => query.get(name) ?? '');
  if (seal !== sealOf(secret, viewer.name, { key, decided: decided!, job: job! })) return undefined;
  const word = jobsAfter.find((one) => one === job) ?? 'unknown';
  return html`Your verdict is recorded: it was ${decided === 'sent' ? 'sent' : 'not sent'}.
  ${jobWords[word]}`;
}

function sealOf(
  secret: string,
  viewer: string,
  { key, decided, job }: { key: string; decided: string; job: string },
): string {
  return formToken(secret, viewer, `${key} ${decided} ${job}`);
}

const jobWords: Readonly<Record<JobAfter, string>> = {
  retried: 'Its job was retried.',
  'not-failed': 'Its job has not failed: it waits or runs and comes by itself, or is completed.',
  'no-job': 'Its job is not in the queue any more: schedule the email again if it has to be sent.',
  'no-queue': 'The dashboard has not got the queue of its job: retry the job yourself.',
  unknown: 'Its queue did not answer: look whether the job was retried, and retry it if not.',
};

/** Somebody was faster: says what stands there now, and who decided. */
async function lost(visit: Visit, sources: Sources, key: string): Promise<Response> {
  const found = await withDeadline(readEmail(sources, key));
  const { badge, sentence } = stateWords(found);
  const who = whoDecided(found);
  const main = html`<h1>Somebody was faster</h1>
    <p>
      Your verdict changed nothing:
      ${
        found.record?.state === 'in-doubt'
          ? 'the email was resolved, and is in doubt again by a later attempt.'
          : 'the email is not in doubt any more.'
      }
    </p>
    ${who && html`<p>${who}</p>`}
    <p>${badge} ${sentence}</p>
    <p><a href="${visit.base}/email/${key}">To the email</a></p>`;
  return page(409, framed(visit, { title: 'Somebody was faster', main }));
}

function whoDecided({ record, history }: FoundEmail): Html | undefined {
  const entry = history.findLast(
    ({ type }) => type === 'resolved-sent' || type === 'resolved-not-sent',
  );
  if (entry) {
    const verdict = entry.type === 'resolved-sent' ? 'it was sent' : 'it was not sent';
    return html`Decided by ${said(entry.by)}:
    ${verdict}${entry.note !== undefined && html` (${said(entry.note)})`}.`;
  }
  // Without a journal, the ledger has a note of it as long as it has the record.
  return record?.note?.startsWith('resolved by ') ? html`It was ${said(record.note)}.` : undefined;
}
