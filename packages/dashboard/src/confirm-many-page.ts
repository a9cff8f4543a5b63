import type { Sources } from '@sendonce/core';
import { type ChosenDoubt, chooseDoubts, type FindQueue } from '@sendonce/core/inspect';
import { withDeadline } from './deadline.ts';
import { formatDoubtsQuery, readDoubtsQuery, toFilter } from './doubts-query.ts';
import { type Html, html } from './html.ts';
import { messagePage, type PageContext, renderPage } from './layout.ts';
import {
  formatDoubts,
  MAX_AT_ONCE,
  parseDoubts,
  readDoubts,
  renderDoubtCounts,
} from './many-doubts.ts';
import { countEmails, formatNumber } from './numbers.ts';
import { pageResponse } from './responses.ts';

interface Chosen {
  readonly sources: Sources;
  readonly findQueue: FindQueue;
  readonly form: URLSearchParams;
  readonly csrf: string;
}

/** Shows what the form of the list has chosen, and asks for the verdict. */
export async function confirmManyPage(context: PageContext, chosen: Chosen): Promise<Response> {
  const { sources, form } = chosen;
  const query = readDoubtsQuery(form);
  const back = `${context.base}/doubts${formatDoubtsQuery(query)}`;
  const filter = toFilter(query);
  if (typeof filter === 'string') return messagePage(context, 400, 'Nothing was changed', filter);
  const doubts =
    form.get('choose') === 'all'
      ? (await withDeadline(chooseDoubts(sources.ledger, filter, MAX_AT_ONCE))).doubts
      : await withDeadline(readDoubts(sources, parseDoubts(form.getAll('pick').join(' '))));
  if (doubts.length === 0) {
    const text = html`No email is chosen, or those that were ticked are not in doubt any more.
      <a href="${back}">Back to the list</a>`;
    return messagePage(context, 400, 'Nothing is chosen', text);
  }
  return askPage(context, chosen, { doubts, back });
}

interface Question {
  readonly doubts: readonly ChosenDoubt[];
  /** The URL of the list. */
  readonly back: string;
  /** What was wrong with the last answer. */
  readonly problem?: string | undefined;
}

/** Asks for one verdict for all of these, and for their number: it cannot be undone. */
export function askPage(
  context: PageContext,
  { findQueue, form, csrf }: Omit<Chosen, 'sources'>,
  { doubts, back, problem }: Question,
): Response {
  const count = doubts.length;
  const title = `One verdict for ${countEmails(count)}`;
  const given = form.get('verdict');
  const main = html`<h1>${title}</h1>
    ${problem !== undefined && html`<p class="trouble" role="alert">${problem}</p>`}
    ${renderDoubtCounts(doubts)}
    <form class="verdict" method="post" action="${context.base}/doubts/resolve">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="emails" value="${formatDoubts(doubts)}" />
      <input type="hidden" name="back" value="${back}" />
      <fieldset>
        <legend>Were they sent?</legend>
        ${verdicts.map(
          ({ value, text }) =>
            html`<label class="choice-line">
              <input
                type="radio"
                name="verdict"
                value="${value}"
                required=""
                ${given === value && html`checked=""`}
              />
              <span>${text}</span>
            </label>`,
        )}
      </fieldset>
      ${renderRetry(doubts, findQueue, form)}
      <label for="why">How do you know? It is kept with your name; no addresses.</label>
      <textarea id="why" name="why" rows="2" maxlength="500">${form.get('why') ?? ''}</textarea>
      <label for="count">Type the number of emails: ${formatNumber(count)}</label>
      <input
        id="count"
        name="count"
        class="count-field"
        inputmode="numeric"
        autocomplete="off"
        required=""
      />
      <div class="buttons">
        <button class="not-sent">Record the verdict for all of them</button>
        <a class="back" href="${back}">No, back to the list</a>
      </div>
    </form>`;
  return pageResponse(problem === undefined ? 200 : 400, renderPage(context, { title, main }));
}

const verdicts = [
  {
    value: 'sent',
    text: html`<strong>They were sent</strong>, and are not sent again. If that is wrong for one of
      them, its customer never gets it.`,
  },
  {
    value: 'not-sent',
    text: html`<strong>They were not sent</strong>: the next attempt sends each of them. If that is
      wrong for one of them, its customer gets it twice.`,
  },
] as const;

function renderRetry(
  doubts: readonly ChosenDoubt[],
  findQueue: FindQueue,
  form: URLSearchParams,
): Html {
  const known = doubts.filter(({ job }) => job && findQueue(job.queue)).length;
  if (known === 0) {
    return html`<p>
      Then retry their failed jobs yourself: the dashboard does not have their queues.
    </p>`;
  }
  const isAnswered = form.has('count');
  const isChecked = !isAnswered || form.get('retry') === 'yes';
  return html`<label class="choice-line">
    <input type="checkbox" name="retry" value="yes" ${isChecked && html`checked=""`} />
    <span>
      Retry their failed jobs. Those that were not sent and have no job that can run
      ${known < doubts.length && ` (${formatNumber(doubts.length - known)} are of other queues)`}
      stay in doubt, because nothing would send them.
    </span>
  </label>`;
}
