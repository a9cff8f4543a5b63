import { isSendonceError, type LedgerRecord, resolveEmail, type Sources } from '@sendonce/core';
import { type FoundEmail, readEmail } from '@sendonce/core/inspect';
import { withDeadline } from './deadline.ts';
import { confirmPage } from './confirm-page.ts';
import { describeResolver, describeState } from './describe-email.ts';
import { html } from './html.ts';
import { messagePage, type PageContext, renderPage } from './layout.ts';
import type { Settings, Viewer } from './options.ts';
import { pageResponse, redirectTo } from './responses.ts';
import { retryAfterVerdict } from './retry-after-verdict.ts';
import { type AdmittedForm, admitForm } from './verdict-gate.ts';
import { type Decision, isVerdict, readReason, verdictLink } from './verdict-link.ts';

/** The settings, with sources whose journal cannot hold up a verdict. */
export interface ResolveSettings extends Settings {
  readonly sources: Sources;
}

/** A verdict that a viewer wants to record for an email. */
export interface ResolveRequest {
  readonly viewer: Viewer;
  readonly key: string;
  readonly request: Request;
}

/** Records the verdict of a form, if the form is genuine and the viewer may resolve. */
export async function resolvePage(
  context: PageContext,
  asked: ResolveRequest,
  settings: ResolveSettings,
): Promise<Response> {
  const checked = await checkForm(asked, settings);
  if ('isStale' in checked) return stalePage(context, asked.key, settings);
  if ('problem' in checked) {
    return messagePage(context, checked.status, 'Nothing was changed', checked.problem);
  }
  const { decision, csrf } = checked;
  if (checked.isConfirmed) return recordVerdict(context, { ...asked, decision }, settings);
  const { sources } = settings;
  const email = await withDeadline(readEmail(sources, asked.key));
  return isSameDoubt(email.record, decision.token)
    ? confirmPage(context, { email, decision, csrf })
    : tooLatePage(context, email);
}

type CheckedForm =
  | { readonly decision: Decision; readonly isConfirmed: boolean; readonly csrf: string }
  | Exclude<AdmittedForm, { readonly form: URLSearchParams }>;

async function checkForm(
  { viewer, key, request }: ResolveRequest,
  settings: Settings,
): Promise<CheckedForm> {
  const admitted = await admitForm({ viewer, request, scope: key }, settings);
  if (!('form' in admitted)) return admitted;
  const { form, csrf } = admitted;
  const decision = parseDecision(form);
  const problem = 'Expected a verdict, "sent" or "not-sent", and the token of the doubt.';
  return decision
    ? { decision, isConfirmed: form.get('confirmed') === 'yes', csrf }
    : { status: 400, problem };
}

/** For a form that is not genuine. If the email was resolved meanwhile, the page says by whom. */
async function stalePage(
  context: PageContext,
  key: string,
  { sources }: ResolveSettings,
): Promise<Response> {
  const email = await withDeadline(readEmail(sources, key));
  if (email.record?.state !== 'in-doubt') return tooLatePage(context, email);
  const problem =
    'This form was made for another person or email, or before the server started. Open the email again.';
  return messagePage(context, 403, 'Nothing was changed', problem);
}

function parseDecision(form: URLSearchParams): Decision | undefined {
  const [verdict, token] = [form.get('verdict'), form.get('token') ?? ''];
  if (!isVerdict(verdict) || token === '') return undefined;
  return { verdict, token, why: readReason(form) };
}

async function recordVerdict(
  context: PageContext,
  { viewer, key, decision }: ResolveRequest & { readonly decision: Decision },
  { sources, findQueue, retentionMs, secret }: ResolveSettings,
): Promise<Response> {
  const { ledger, journal } = sources;
  const { verdict, token, why } = decision;
  const readAgain = () => withDeadline(readEmail(sources, key));
  // Read first, because "not sent" removes the record, which has the job. And the ledger takes the
  // same verdict again for a repeat, but its viewer should see that it was given before.
  const record = await withDeadline(ledger.read(key));
  if (!isSameDoubt(record, token)) return tooLatePage(context, await readAgain());
  const found = { key, token, verdict, by: viewer.name, why: why || undefined, retentionMs };
  const reply = await withDeadline(resolveEmail(sources, found)).catch(unknownIfUnavailable);
  if (reply === 'unknown') return unknownOutcomePage(context);
  if (reply.state === 'not-in-doubt') return tooLatePage(context, await readAgain());
  // The next page should show the verdict. A journal that does not answer delays it by a second
  // only.
  await withDeadline(journal?.flush() ?? Promise.resolve(), 1000).catch(() => {});
  const job = await withDeadline(retryAfterVerdict(findQueue, record)).catch(
    () => 'unknown' as const,
  );
  const link = verdictLink({ decided: verdict, job }, { key, viewer, secret });
  return redirectTo(`${context.base}/email/${key}?${link}`);
}

function isSameDoubt(record: LedgerRecord | undefined, token: string): record is LedgerRecord {
  return record?.state === 'in-doubt' && record.token === token;
}

function unknownIfUnavailable(error: unknown): 'unknown' {
  if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
  return 'unknown';
}

function unknownOutcomePage(context: PageContext): Response {
  return messagePage(
    context,
    503,
    'Unknown result',
    'The ledger did not answer: it is unknown whether your verdict was recorded. It is safe to give it again.',
  );
}

/** The email was resolved before: shows its state, and who resolved it. */
function tooLatePage(context: PageContext, email: FoundEmail): Response {
  const { badge, sentence } = describeState(email);
  const resolver = describeResolver(email);
  const title = 'It was resolved before';
  const main = html`<h1>${title}</h1>
    <p>
      Your verdict changed nothing:
      ${
        email.record?.state === 'in-doubt'
          ? 'the email was resolved, and is in doubt again by a later attempt.'
          : 'the email is not in doubt any more.'
      }
    </p>
    <p>
      ${resolver ?? 'It is unknown who resolved it: the journal does not answer, or there is none.'}
    </p>
    <p>${badge} ${sentence}</p>
    <p><a href="${context.base}/email/${email.key}">To the email</a></p>`;
  return pageResponse(409, renderPage(context, { title, main }));
}
