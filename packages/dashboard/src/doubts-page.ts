import type { Sources } from '@sendonce/core';
import {
  type ChosenDoubt,
  type ChosenDoubts,
  chooseDoubts,
  lastLabel,
  senderOf,
} from '@sendonce/core/inspect';
import { withDeadline } from './deadline.ts';
import { unreadableMessage } from './describe-email.ts';
import {
  type DoubtsQuery,
  filterFields,
  formatDoubtsQuery,
  readDoubtsQuery,
  toFieldTime,
  toFilter,
} from './doubts-query.ts';
import { type Html, html, textOr } from './html.ts';
import { type PageContext, renderPage } from './layout.ts';
import { formatDoubts, MAX_AT_ONCE, renderDoubtCounts } from './many-doubts.ts';
import { countEmails, formatNumber } from './numbers.ts';
import { pageResponse } from './responses.ts';
import { formatAge, timeElement } from './times.ts';

/** More are counted by the command line. */
const MAX_LISTED = 10_000;
const ON_A_PAGE = 50;

interface ListView {
  readonly query: DoubtsQuery;
  /** Signs the form. Undefined for a viewer who may only look. */
  readonly csrf: string | undefined;
}

/** The emails in doubt that match a filter, to be resolved many at once. */
export async function doubtsPage(
  context: PageContext,
  sources: Sources,
  { fields, csrf }: { readonly fields: URLSearchParams; readonly csrf: string | undefined },
): Promise<Response> {
  const query = readDoubtsQuery(fields);
  const filter = toFilter(query);
  if (typeof filter === 'string') {
    const problem = html`<p class="trouble" role="alert">${filter}</p>`;
    return listResponse(context, 400, html`${renderFilter(context, query)} ${problem}`);
  }
  const chosen = await withDeadline(chooseDoubts(sources.ledger, filter, MAX_LISTED));
  const list = await renderList(context, sources, { view: { query, csrf }, chosen });
  return listResponse(context, 200, html`${renderFilter(context, query)} ${list}`);
}

function listResponse(context: PageContext, status: number, list: Html): Response {
  const main = html`<h1>Emails in doubt</h1>
    <p>
      It is unknown whether these were sent. Choose those that have the same answer: then give one
      verdict for all of them.
    </p>
    ${list}`;
  return pageResponse(status, renderPage(context, { title: 'Emails in doubt', main }));
}

const fieldLabels = {
  cause: 'Cause begins with',
  queue: 'Queue',
  since: 'Dispatched since (UTC)',
  until: 'Dispatched until (UTC)',
} as const;

function renderFilter({ base }: PageContext, query: DoubtsQuery): Html {
  return html`<form class="filter" action="${base}/doubts" aria-label="Filter">
    ${filterFields.map((name) => {
      const isTime = name === 'since' || name === 'until';
      return html`<div>
        <label for="${name}">${fieldLabels[name]}</label>
        <input
          id="${name}"
          name="${name}"
          type="${isTime ? 'datetime-local' : 'text'}"
          value="${isTime ? toFieldTime(query[name]) : query[name]}"
          maxlength="500"
          autocomplete="off"
          spellcheck="false"
        />
      </div>`;
    })}
    <div class="buttons">
      <button>Filter</button>
      <a class="back" href="${base}/doubts">All</a>
    </div>
  </form>`;
}

interface FoundList {
  readonly view: ListView;
  readonly chosen: ChosenDoubts;
}

async function renderList(
  context: PageContext,
  { journal }: Sources,
  { view, chosen }: FoundList,
): Promise<Html> {
  const { doubts, more, unreadable } = chosen;
  const trouble =
    unreadable &&
    html`<p class="trouble">${unreadableMessage(unreadable.key)} There may be more of them.</p>`;
  if (doubts.length === 0)
    return html`${trouble}
      <p role="status">No email in doubt matches.</p>`;
  const pages = Math.ceil(doubts.length / ON_A_PAGE);
  const number = Math.min(view.query.page, pages);
  const shown = doubts.slice((number - 1) * ON_A_PAGE, number * ON_A_PAGE);
  const labels = await Promise.all(
    shown.map(async ({ key }) => lastLabel((await journal?.history(key)) ?? [])),
  );
  const table = renderTable(context, { shown, labels, isTickable: view.csrf !== undefined });
  return html`${trouble}
    <p role="status">
      ${more && 'More than '}${countEmails(doubts.length)}
      ${doubts.length === 1 ? 'matches' : 'match'}.
    </p>
    ${renderDoubtCounts(doubts)} ${renderForm(context, view, { table, count: doubts.length })}
    ${renderPages(context, view.query, { number, pages })}`;
}

/** Without JavaScript no box ticks all the others: a button chooses all that match. */
function renderForm(
  { base }: PageContext,
  { query, csrf }: ListView,
  { table, count }: { readonly table: Html; readonly count: number },
): Html {
  if (csrf === undefined) {
    return html`${table}
      <p>
        You may look, and not resolve: "authorize" of the dashboard does not grant you
        <code>mayResolve</code>.
      </p>`;
  }
  const all =
    count > MAX_AT_ONCE
      ? `Choose the oldest ${formatNumber(MAX_AT_ONCE)} that match`
      : `Choose all ${formatNumber(count)} that match`;
  return html`<form method="post" action="${base}/doubts/confirm">
    <input type="hidden" name="csrf" value="${csrf}" />
    ${filterFields.map((name) => html`<input type="hidden" name="${name}" value="${query[name]}" />`)}
    ${table}
    <div class="buttons">
      <button name="choose" value="ticked">Choose the ticked ones</button>
      <button name="choose" value="all">${all}</button>
    </div>
  </form>`;
}

interface TableView {
  readonly shown: readonly ChosenDoubt[];
  readonly labels: readonly (string | undefined)[];
  readonly isTickable: boolean;
}

function renderTable({ base }: PageContext, { shown, labels, isTickable }: TableView): Html {
  const nowMs = Date.now();
  const names = ['Email', 'For', 'Cause', 'Job', 'Dispatched (UTC)'];
  return html`<div class="wide" role="region" aria-label="Emails in doubt" tabindex="0">
    <table class="doubts">
      <caption class="unseen">
        Emails in doubt that match, the oldest first
      </caption>
      <thead>
        <tr>
          ${isTickable && html`<th scope="col">Choose</th>`}
          ${names.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${shown.map((doubt, index) => {
          const { key, atMs, cause } = doubt;
          const name = labels[index];
          return html`<tr>
            ${
              isTickable &&
              html`<td class="tick">
                <input
                  type="checkbox"
                  name="pick"
                  value="${formatDoubts([doubt])}"
                  aria-label="Choose ${name ?? key}"
                />
              </td>`
            }
            <th scope="row">
              <a href="${base}/email/${key}"
                >${name === undefined ? html`<code>${key}</code>` : textOr(name)}</a
              >
            </th>
            <td class="age">${formatAge(nowMs - atMs)}</td>
            <td class="cause">${textOr(cause)}</td>
            <td>${textOr(senderOf(doubt))}</td>
            <td>${timeElement(atMs)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function renderPages(
  { base }: PageContext,
  query: DoubtsQuery,
  { number, pages }: { readonly number: number; readonly pages: number },
): Html | undefined {
  if (pages === 1) return undefined;
  const link = (page: number, text: string) =>
    page >= 1 &&
    page <= pages &&
    html`<a href="${base}/doubts${formatDoubtsQuery({ ...query, page })}">${text}</a>`;
  return html`<nav class="pages" aria-label="Pages of emails in doubt">
    <span>Page ${formatNumber(number)} of ${formatNumber(pages)}, the oldest first</span>
    ${link(number - 1, 'Older')} ${link(number + 1, 'Younger')}
  </nav>`;
}
