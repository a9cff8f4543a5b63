import type { HourCounts, JournalType } from '@sendonce/core';
import { page } from './answer.ts';
import { chartOf, tableOf } from './chart.ts';
import { type Html, html, said } from './html.ts';
import { framed, type Visit } from './layout.ts';
import { livePart, type Parts, spokenPart } from './live-parts.ts';
import type { Days, Doubt, OverviewData } from './overview-data.ts';
import { notCounted } from './sources.ts';
import { ageOf, timeOf } from './times.ts';
import { emails, numberOf, unreadableWords } from './words.ts';

export function overviewPage(visit: Visit, data: OverviewData): Response {
  const parts = overviewParts(visit, data);
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
        ${choiceOfDays(visit, data.days)}
      </div>
      ${livePart(parts, 'past')}
    </section>`;
  return page(200, framed(visit, { title: 'Emails', main, events: `/events?days=${data.days}` }));
}

/** What changes while somebody looks. */
export function overviewParts(
  { base }: Visit,
  data: OverviewData,
): Parts<'summary' | 'now' | 'doubts' | 'past'> {
  return {
    summary: summaryOf(data),
    now: tiles([
      ['Being sent', data.sending, 'sending', data.more],
      ['In doubt', data.inDoubt.length, data.inDoubt.length > 0 ? 'in-doubt' : 'calm', data.more],
    ]),
    doubts: doubtsOf(base, data),
    past: pastOf(data),
  };
}

function summaryOf({ inDoubt, more }: OverviewData): Html {
  if (inDoubt.length === 0) return html`No email is in doubt.`;
  const are = inDoubt.length === 1 && !more ? 'is' : 'are';
  return html`${more && 'At least '}${emails(inDoubt.length)} ${are} in doubt and wait for a
  verdict.`;
}

type Tile = readonly [name: string, count: number, look: string, more?: boolean];

function tiles(all: readonly Tile[]): Html {
  return html`<dl class="tiles">
    ${all.map(
      ([name, count, look, more]) =>
        html`<div class="tile ${count === 0 ? 'calm' : look}">
          <dt>${name}</dt>
          <dd>
            ${numberOf(count)}${more && html`<span title="Only the oldest were counted">+</span>`}
          </dd>
        </div>`,
    )}
  </dl>`;
}

function doubtsOf(base: string, data: OverviewData): Html {
  const { unreadable } = data;
  if (!unreadable) return readableDoubtsOf(base, data);
  return html`<p class="trouble">${unreadableWords(unreadable.key)} There may be more of them.</p>
    ${readableDoubtsOf(base, data)}`;
}

function readableDoubtsOf(base: string, { doubts, inDoubt, nowMs }: OverviewData): Html {
  if (doubts.length === 0) {
    return html`<p>
      None. An email is in doubt when it was dispatched and its sender fell silent.
    </p>`;
  }
  return html`<p>
      Nobody knows whether these left. Find out (the provider, the mail log, the customer), then
      open the email and say it.
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
          ${doubts.map((doubt) => doubtRow(base, doubt, nowMs))}
        </tbody>
      </table>
    </div>
    ${
      inDoubt.length > doubts.length &&
      html`<p>
        ${numberOf(inDoubt.length - doubts.length)} more, which are younger, are not listed.
      </p>`
    }`;
}

function doubtRow(base: string, { record, label, worker }: Doubt, nowMs: number): Html {
  const { key, atMs, by, messageId, note } = record;
  return html`<tr>
    <th scope="row">
      <a href="${base}/email/${key}"
        >${label === undefined ? html`<code>${key}</code>` : said(label)}</a
      >
    </th>
    <td>${timeOf(atMs)}</td>
    <td>${ageOf(nowMs - atMs)}</td>
    <td>${said(by)}</td>
    <td>${said(worker, 'not told')}</td>
    <td class="id">${said(messageId)}</td>
    <td>${said(note)}</td>
  </tr>`;
}

function pastOf({ hours, fromMs, slots }: OverviewData): Html {
  if (!hours) {
    return html`<p>
      The ledger does not count, and there is no journal. Give
      <code>journal: redisJournal(client)</code> to <code>once()</code> and to
      <code>dashboard()</code>: then counts, histories and labels are here.
    </p>`;
  }
  if (hours === notCounted) {
    return html`<p>The journal does not answer: what was sent and prevented is not known now.</p>`;
  }
  const sum = (type: JournalType) => sumOf(hours, type);
  return html`${tiles([
    ['Sent', sum('sent'), 'sent'],
    ['Duplicates prevented', sum('duplicate'), 'prevented'],
    ['In doubt', sum('in-doubt'), 'doubted'],
    ['Rejected', sum('rejected'), 'rejected'],
    ['Cancelled', sum('cancelled'), 'cancelled'],
  ])}
  ${chartOf(hours, fromMs, slots)} ${tableOf(hours)}`;
}

function sumOf(hours: readonly HourCounts[], type: JournalType): number {
  return hours.reduce((sum, { counts }) => sum + (counts[type] ?? 0), 0);
}

function choiceOfDays({ base }: Visit, chosen: Days): Html {
  const link = (days: Days, words: string) =>
    days === chosen
      ? html`<a href="${base}/?days=${days}" aria-current="page">${words}</a>`
      : html`<a href="${base}/?days=${days}">${words}</a>`;
  return html`<nav class="choice" aria-label="How far back">
    ${link(1, '24 hours')} ${link(7, '7 days')}
  </nav>`;
}
