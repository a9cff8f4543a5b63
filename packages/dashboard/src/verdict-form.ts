import type { LedgerRecord } from '@sendonce/core';
import { type Html, html, said } from './html.ts';
import type { Visit } from './layout.ts';

/** What the viewer may do about an email in doubt. */
export interface VerdictMay {
  /** The token of the form for an email; undefined for who may only look. */
  readonly csrf: ((key: string) => string) | undefined;
  /** Whether the job of the email is given to a worker again after the verdict. */
  readonly retries: (record: LedgerRecord) => boolean;
}

export function verdictForm(
  { base }: Visit,
  { csrf, retries }: VerdictMay,
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
    <p>
      Ask the provider, the mail log or the customer first.
      ${
        retries(record)
          ? html`Then its job, ${said(record.by)}, is given to a worker again: it sends, or
            completes as a duplicate.`
          : html`Retry its job, ${said(record.by, 'which is not told')}, yourself afterwards: this
            page has not got its queue.`
      }
    </p>
    <form method="post" action="${base}/email/${key}/resolve">
      <input type="hidden" name="csrf" value="${csrf(key)}" />
      <input type="hidden" name="token" value="${token}" />
      <label for="why">How do you know? It is kept with your name; no addresses.</label>
      ${/* Several lines, so that Enter does not press the first button. */ ''}
      <textarea id="why" name="why" rows="2" maxlength="500"></textarea>
      <div class="buttons">
        <button name="verdict" value="sent">It was sent</button>
        <button name="verdict" value="not-sent">It was not sent: send it</button>
      </div>
    </form>
  </section>`;
}
