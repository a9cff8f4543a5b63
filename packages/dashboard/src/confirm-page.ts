import type { FoundEmail } from '@sendonce/core/inspect';
import { emailName } from './describe-email.ts';
import { type Html, html } from './html.ts';
import { type PageContext, renderPage } from './layout.ts';
import { pageResponse } from './responses.ts';
import type { Decision, Verdict } from './verdict-link.ts';

interface Confirmation {
  readonly email: FoundEmail;
  readonly decision: Decision;
  /** The token of the form. */
  readonly csrf: string;
}

/** Asks back before a verdict is recorded, because it cannot be undone. */
export function confirmPage(
  context: PageContext,
  { email, decision, csrf }: Confirmation,
): Response {
  const { verdict, token, why } = decision;
  const { title, consequence, answer } = questions[verdict];
  const path = `${context.base}/email/${email.key}`;
  const main = html`<h1>${title}</h1>
    <p>${emailName(email)}. ${why !== '' && html`Your reason: <bdi>${why}</bdi>.`}</p>
    <p>${consequence}</p>
    <form class="buttons" method="post" action="${path}/resolve">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="token" value="${token}" />
      <input type="hidden" name="why" value="${why}" />
      <input type="hidden" name="confirmed" value="yes" />
      <button class="${verdict}" name="verdict" value="${verdict}">${answer}</button>
      <a class="back" href="${path}">No, back to the email</a>
    </form>`;
  return pageResponse(200, renderPage(context, { title, main }));
}

interface Question {
  readonly title: string;
  readonly consequence: Html;
  readonly answer: string;
}

const questions: Readonly<Record<Verdict, Question>> = {
  sent: {
    title: 'Was it sent?',
    consequence: html`Your verdict is that it <strong>was sent</strong>: it is not sent again. If
      that is wrong, the customer never gets this email.`,
    answer: 'Yes, it was sent',
  },
  'not-sent': {
    title: 'Send it?',
    consequence: html`Your verdict is that it <strong>was not sent</strong>: the next attempt sends
      it. If that is wrong, the customer gets this email twice.`,
    answer: 'Yes, send it',
  },
};
