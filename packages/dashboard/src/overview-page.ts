import type { HourCounts, JournalType } from '@sendonce/core';
import { renderChart, renderHoursTable } from './chart.ts';
import { renderDoubts } from './doubts-part.ts';
import { type Html, html } from './html.ts';
import { type PageContext, renderPage } from './layout.ts';
import { livePart, type Parts, spokenPart } from './live-parts.ts';
import type { OverviewData } from './load-overview.ts';
import { countEmails, formatNumber } from './numbers.ts';
import { type Days, formatOverviewQuery, type OverviewQuery } from './overview-query.ts';
import { pageResponse } from './responses.ts';
import { UNKNOWN_COUNTS } from './sources.ts';

export function overviewPage(context: PageContext, data: OverviewData): Response {
  const parts = overviewParts(context, data);
  const { query } = data;
  // The numbers come first: a list of doubts may be long.
  const main = html`<h1>Emails</h1>
    ${spokenPart(parts, 'summary')}
    <section aria-labelledby="now-title">
      <h2 id="now-title">Now</h2>
      ${livePart(parts, 'now')}
    </section>
    <section aria-labelledby="past-title">
      <div class="beside">
        <h2 id="past-title">Last ${query.days === 1 ? '24 hours' : '7 days'}</h2>
        ${renderDaysChoice(context, query)}
      </div>
      ${livePart(parts, 'past')}
    </section>
    <section aria-labelledby="doubts-title">
      <h2 id="doubts-title">In doubt</h2>
      ${livePart(parts, 'doubts')}
    </section>
    <section aria-labelledby="chart-title">
      <h2 id="chart-title">By the hour</h2>
      ${livePart(parts, 'chart')}
    </section>`;
  const events = `/events${formatOverviewQuery(query)}`;
  return pageResponse(200, renderPage(context, { title: 'Emails', main, events }));
}

/** The parts that change while the page is open. */
export function overviewParts(
  { base }: PageContext,
  data: OverviewData,
): Parts<'summary' | 'now' | 'past' | 'doubts' | 'chart'> {
  const { hours, sending, inDoubt, more } = data;
  const isNothingKnown = sending + inDoubt.length === 0 && hours?.length === 0;
  return {
    summary: renderSummary(data),
    now: renderTiles([
      ['Being sent', sending, 'sending', more],
      ['In doubt', inDoubt.length, inDoubt.length > 0 ? 'in-doubt' : 'calm', more],
    ]),
    past: html`${isNothingKnown && hours !== UNKNOWN_COUNTS && renderNothingKnown()}
    ${renderPast(hours)}`,
    doubts: renderDoubts(base, data),
    chart: renderHours(data),
  };
}

function renderSummary({ inDoubt, more }: OverviewData): Html {
  if (inDoubt.length === 0) return html`No email is in doubt.`;
  const are = inDoubt.length === 1 && !more ? 'is' : 'are';
  return html`<a href="#doubts-title">${more && 'At least '}${countEmails(inDoubt.length)}</a>
    ${are} in doubt and wait for a verdict.`;
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

/** Without it, zeros would look as if no email had been sent. */
function renderNothingKnown(): Html {
  return html`<p>
    Nothing is known here: no email is open, and the journal has counted none in this time. If
    emails were sent, check that the dashboard and <code>once()</code> have the same server,
    database, prefix and journal.
  </p>`;
}

function renderPast(hours: OverviewData['hours']): Html {
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
  return renderTiles([
    ['Sent', sum('sent'), 'sent'],
    ['Duplicates prevented', sum('duplicate'), 'prevented'],
    ['In doubt', sum('in-doubt'), 'doubted'],
    ['Rejected', sum('rejected'), 'rejected'],
    ['Skipped', sum('skipped'), 'skipped'],
    ['Cancelled', sum('cancelled'), 'cancelled'],
  ]);
}

function renderHours({ hours, fromMs, slots }: OverviewData): Html {
  if (!hours || hours === UNKNOWN_COUNTS) return html`<p>There are no counts.</p>`;
  return html`${renderChart(hours, fromMs, slots)} ${renderHoursTable(hours)}`;
}

function sumCounts(hours: readonly HourCounts[], type: JournalType): number {
  return hours.reduce((sum, { counts }) => sum + (counts[type] ?? 0), 0);
}

function renderDaysChoice({ base }: PageContext, query: OverviewQuery): Html {
  const link = (days: Days, text: string) => {
    const url = `${base}/${formatOverviewQuery({ ...query, days })}`;
    return days === query.days
      ? html`<a href="${url}" aria-current="page">${text}</a>`
      : html`<a href="${url}">${text}</a>`;
  };
  return html`<nav class="choice" aria-label="How far back">
    ${link(1, '24 hours')} ${link(7, '7 days')}
  </nav>`;
}
