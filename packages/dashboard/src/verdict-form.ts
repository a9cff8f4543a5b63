import type { LedgerRecord } from '@sendonce/core';
import { senderOf } from '@sendonce/core/inspect';
import { type Html, html, textOr } from './html.ts';
import type { PageContext } from './layout.ts';

/** What the viewer may do about an email in doubt. */
export interface VerdictRights {
  /** Makes the token of the form for an email. Undefined for a viewer who may only look. */
  readonly csrf: ((key: string) => string) | undefined;
  /** Whether the dashboard retries the job of the email after the verdict. */
  readonly retries: (record: LedgerRecord) => boolean;
}

export function renderVerdictForm(
  { base }: PageContext,
  { csrf, retries }: VerdictRights,
  record: LedgerRecord,
): Html {
  if (!csrf) {
    return html`<section class="verdict" aria-labelledby="verdict-title">
      <h2 id="verdict-title">Was it sent?</h2>
      <p>
        You may look, and not resolve: "authorize" of the dashboard does not grant you
        <code>mayResolve</code>.
      </p>
    </section>`;
  }
  const { key, token } = record;
  return html`<section class="verdict" aria-labelledby="verdict-title">
    <h2 id="verdict-title">Was it sent?</h2>
    <p>Ask the provider, the mail log or the customer first. ${describeRetry(record, retries)}</p>
    <form method="post" action="${base}/email/${key}/resolve">
      <input type="hidden" name="csrf" value="${csrf(key)}" />
      <input type="hidden" name="token" value="${token}" />
      <label for="why">How do you know? It is kept with your name; no addresses.</label>
      ${/* A textarea, because Enter in a field of one line would press the first button. */ ''}
      <textarea id="why" name="why" rows="2" maxlength="500"></textarea>
      <div class="buttons">
        <button class="sent" name="verdict" value="sent">It was sent</button>
        <button class="not-sent" name="verdict" value="not-sent">It was not sent: send it</button>
      </div>
    </form>
  </section>`;
}

function describeRetry(record: LedgerRecord, retries: VerdictRights['retries']): Html {
  const sender = senderOf(record);
  return retries(record)
    ? html`Then its job, ${textOr(sender)}, is retried: it sends the email, or completes as a
      duplicate.`
    : html`Then retry its job, ${textOr(sender, 'which is unknown')}, yourself: the dashboard does
      not have its queue.`;
}
