import { describeCause, senderOf } from '@sendonce/core/inspect';
import { unreadableMessage } from './describe-email.ts';
import type { DoubtPage } from './doubt-list.ts';
import { formatDoubtsQuery } from './doubts-query.ts';
import { type Html, html, textOr } from './html.ts';
import type { Doubt, OverviewData } from './load-overview.ts';
import { formatNumber } from './numbers.ts';
import { formatOverviewQuery, type OverviewQuery } from './overview-query.ts';
import { formatAge, timeElement } from './times.ts';

/** More causes than a person reads are under "All". */
const MAX_CAUSES = 8;

/** The emails in doubt: their causes, and one page of them. */
export function renderDoubts(base: string, data: OverviewData): Html {
  const { unreadable } = data;
  if (!unreadable) return renderReadableDoubts(base, data);
  return html`<p class="trouble">${unreadableMessage(unreadable.key)} There may be more of them.</p>
    ${renderReadableDoubts(base, data)}`;
}

function renderReadableDoubts(base: string, data: OverviewData): Html {
  const { doubts, inDoubt, page, query, nowMs } = data;
  if (inDoubt.length === 0) {
    return html`<p>
      No email is in doubt. One is in doubt if it was dispatched and its sender stopped without an
      outcome.
    </p>`;
  }
  return html`<p>
      It is unknown whether these were sent. Find out (provider, mail log, customer), then open the
      email and record your verdict.
    </p>
    ${renderCauses(base, data)}
    <div class="wide" role="region" aria-label="Emails in doubt" tabindex="0">
      <table class="doubts">
        <caption class="unseen">
          Emails in doubt, the oldest first
        </caption>
        <thead>
          <tr>
            ${['Email', 'For', 'Cause', 'Job', 'Worker', 'Message-ID', 'Dispatched (UTC)'].map(
              (name) => html`<th scope="col">${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${doubts.map((doubt) => renderDoubt(base, doubt, nowMs))}
        </tbody>
      </table>
    </div>
    ${renderPages(base, query, page)} ${renderManyLink(base, data)}`;
}

/** To the page that resolves many at once: those of the cause that is shown. */
function renderManyLink(base: string, { causes, inDoubt, query }: OverviewData): Html | undefined {
  if (inDoubt.length < 2) return undefined;
  const cause = causes.find(({ id }) => id === query.cause)?.cause;
  const url = `${base}/doubts${formatDoubtsQuery({ cause: cause ?? '' })}`;
  return html`<p><a href="${url}">Filter them, and resolve many at once</a></p>`;
}

/** Links to the doubts of one cause. Nothing if there is only one. */
function renderCauses(base: string, { causes, inDoubt, query }: OverviewData): Html | undefined {
  if (causes.length < 2) return undefined;
  const link = (cause: string | undefined, name: string, count: number) => {
    const url = linkTo(base, { ...query, cause, page: 1 });
    const text = html`${textOr(name)} <span class="count">${formatNumber(count)}</span>`;
    return cause === query.cause
      ? html`<a href="${url}" aria-current="page">${text}</a>`
      : html`<a href="${url}">${text}</a>`;
  };
  return html`<nav class="choice causes" aria-label="Causes">
    ${link(undefined, 'All', inDoubt.length)}
    ${causes.slice(0, MAX_CAUSES).map(({ id, cause, count }) => link(id, cause, count))}
  </nav>`;
}

function renderPages(base: string, query: OverviewQuery, page: DoubtPage): Html | undefined {
  const { number, pages, before, total, records } = page;
  if (pages === 1) return undefined;
  const link = (to: number, text: string) =>
    to >= 1 && to <= pages && html`<a href="${linkTo(base, { ...query, page: to })}">${text}</a>`;
  return html`<nav class="pages" aria-label="Pages of emails in doubt">
    <span>
      ${formatNumber(before + 1)}–${formatNumber(before + records.length)} of
      ${formatNumber(total)}, the oldest first
    </span>
    ${link(number - 1, 'Older')} ${link(number + 1, 'Younger')}
  </nav>`;
}

function linkTo(base: string, query: OverviewQuery): string {
  return `${base}/${formatOverviewQuery(query)}#doubts-title`;
}

function renderDoubt(base: string, { record, label, worker }: Doubt, nowMs: number): Html {
  const { key, atMs, messageId } = record;
  return html`<tr>
    <th scope="row">
      <a href="${base}/email/${key}"
        >${label === undefined ? html`<code>${key}</code>` : textOr(label)}</a
      >
    </th>
    <td class="age">${formatAge(nowMs - atMs)}</td>
    <td class="cause">${textOr(describeCause(record))}</td>
    <td>${textOr(senderOf(record))}</td>
    <td>${textOr(worker, 'unknown')}</td>
    <td class="id">${textOr(messageId)}</td>
    <td>${timeElement(atMs)}</td>
  </tr>`;
}
