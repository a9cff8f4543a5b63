import type { HourCounts, JournalType } from '@sendonce/core';
import { senderOf } from '@sendonce/core/inspect';
import { renderChart, renderHoursTable } from './chart.ts';
import { unreadableMessage } from './describe-email.ts';
import { type Html, html, textOr } from './html.ts';
import { type PageContext, renderPage } from './layout.ts';
import { livePart, type Parts, spokenPart } from './live-parts.ts';
import type { Days, Doubt, OverviewData } from './load-overview.ts';
import { countEmails, formatNumber } from './numbers.ts';
import { pageResponse } from './responses.ts';
import { UNKNOWN_COUNTS } from './sources.ts';
import { formatAge, timeElement } from './times.ts';

export function overviewPage(context: PageContext, data: OverviewData): Response {
  const parts = overviewParts(context, data);
  const main = html`<h1>Emails</h1>
    ${spokenPart(parts, 'summary')}
    <section aria-labelledby="now-title">
      <h2 id="now-title">Now</h2>
      ${livePart(parts, 'now')}
    </section>
    <section aria-labelledby="doubts-title">
      <h2 id="doubts-title">In doubt</h2>
      ${livePart(parts, 'doubts')}
    </section>
    <section aria-labelledby="past-title">
      <div class="beside">
        <h2 id="past-title">Last ${data.days === 1 ? '24 hours' : '7 days'}</h2>
        ${renderDaysChoice(context, data.days)}
      </div>
      ${livePart(parts, 'past')}
    </section>`;
  const events = `/events?days=${data.days}`;
  return pageResponse(200, renderPage(context, { title: 'Emails', main, events }));
}

/** The parts that change while the page is open. */
export function overviewParts(
  { base }: PageContext,
  data: OverviewData,
): Parts<'summary' | 'now' | 'doubts' | 'past'> {
  return {
    summary: renderSummary(data),
    now: renderTiles([
      ['Being sent', data.sending, 'sending', data.more],
      ['In doubt', data.inDoubt.length, data.inDoubt.length > 0 ? 'in-doubt' : 'calm', data.more],
    ]),
    doubts: renderDoubts(base, data),
    past: renderPast(data),
  };
}

function renderSummary({ inDoubt, more }: OverviewData): Html {
  if (inDoubt.length === 0) return html`No email is in doubt.`;
  const are = inDoubt.length === 1 && !more ? 'is' : 'are';
  return html`${more && 'At least '}${countEmails(inDoubt.length)} ${are} in doubt and wait for a
  verdict.`;
}

/** `more`: the count is a lower bound. */
type Tile = readonly [name: string, count: number, style: string, more?: boolean];

function renderTiles(tiles: readonly Tile[]): Html {
  return html`<dl class="tiles">
    ${tiles.map(
      ([name, count, style, more]) =>
        html`<div class="tile ${count === 0 ? 'calm' : style}">
          <dt>${name}</dt>
          <dd>
            ${formatNumber(count)}${more && html`<span title="Only the oldest were counted">+</span>`}
          </dd>
        </div>`,
    )}
  </dl>`;
}

function renderDoubts(base: string, data: OverviewData): Html {
  const { unreadable } = data;
  if (!unreadable) return renderReadableDoubts(base, data);
  return html`<p class="trouble">${unreadableMessage(unreadable.key)} There may be more of them.</p>
    ${renderReadableDoubts(base, data)}`;
}

function renderReadableDoubts(base: string, { doubts, inDoubt, nowMs }: OverviewData): Html {
  if (doubts.length === 0) {
    return html`<p>
      None. An email is in doubt if it was dispatched and its sender stopped without an outcome.
    </p>`;
  }
  return html`<p>
      It is unknown whether these were sent. Find out (the provider, the mail log, the customer),
      then open the email and say it.
    </p>
    <div class="wide" role="region" aria-label="Emails in doubt" tabindex="0">
      <table class="doubts">
        <caption class="unseen">
          Emails in doubt, the oldest first
        </caption>
        <thead>
          <tr>
            ${['Email', 'Dispatched (UTC)', 'Since', 'Job', 'Worker', 'Message-ID', 'Note'].map(
              (name) => html`<th scope="col">${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${doubts.map((doubt) => renderDoubt(base, doubt, nowMs))}
        </tbody>
      </table>
    </div>
    ${
      inDoubt.length > doubts.length &&
      html`<p>
        ${formatNumber(inDoubt.length - doubts.length)} more, which are younger, are not listed.
      </p>`
    }`;
}

function renderDoubt(base: string, { record, label, worker }: Doubt, nowMs: number): Html {
  const { key, atMs, messageId, note, lateNotSent } = record;
  return html`<tr>
    <th scope="row">
      <a href="${base}/email/${key}"
        >${label === undefined ? html`<code>${key}</code>` : textOr(label)}</a
      >
    </th>
    <td>${timeElement(atMs)}</td>
    <td>${formatAge(nowMs - atMs)}</td>
    <td>${textOr(senderOf(record))}</td>
    <td>${textOr(worker, 'unknown')}</td>
    <td class="id">${textOr(messageId)}</td>
    <td>${lateNotSent ? 'not sent; the next attempt sends it' : textOr(note)}</td>
  </tr>`;
}

function renderPast({ hours, fromMs, slots }: OverviewData): Html {
  if (!hours) {
    return html`<p>
      The ledger does not count, and there is no journal. Give
      <code>journal: redisJournal(client)</code> to <code>once()</code> and to
      <code>dashboard()</code>: then counts, histories and labels are here.
    </p>`;
  }
  if (hours === UNKNOWN_COUNTS) {
    return html`<p>
      The journal does not answer: it is unknown at the moment what was sent and prevented.
    </p>`;
  }
  const sum = (type: JournalType) => sumCounts(hours, type);
  return html`${renderTiles([
    ['Sent', sum('sent'), 'sent'],
    ['Duplicates prevented', sum('duplicate'), 'prevented'],
    ['In doubt', sum('in-doubt'), 'doubted'],
    ['Rejected', sum('rejected'), 'rejected'],
    ['Skipped', sum('skipped'), 'skipped'],
    ['Cancelled', sum('cancelled'), 'cancelled'],
  ])}
  ${renderChart(hours, fromMs, slots)} ${renderHoursTable(hours)}`;
}

function sumCounts(hours: readonly HourCounts[], type: JournalType): number {
  return hours.reduce((sum, { counts }) => sum + (counts[type] ?? 0), 0);
}

function renderDaysChoice({ base }: PageContext, chosen: Days): Html {
  const link = (days: Days, text: string) =>
    days === chosen
      ? html`<a href="${base}/?days=${days}" aria-current="page">${text}</a>`
      : html`<a href="${base}/?days=${days}">${text}</a>`;
  return html`<nav class="choice" aria-label="How far back">
    ${link(1, '24 hours')} ${link(7, '7 days')}
  </nav>`;
}
