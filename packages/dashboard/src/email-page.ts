import type { JournalEntry, LedgerRecord } from '@sendonce/core';
import type { FoundEmail } from '@sendonce/core/inspect';
import { page } from './answer.ts';
import { type Html, html, said } from './html.ts';
import { framed, type Visit } from './layout.ts';
import { livePart, type Parts, spokenPart } from './live-parts.ts';
import { lengthOf, timeOf } from './times.ts';
import { verdictForm, type VerdictMay } from './verdict-form.ts';
import { nameOfEmail, stateWords, stepWords } from './words.ts';

/** The journal keeps no more of one email. */
const MOST_STEPS = 100;

/** `decided`: what was just done with it, for whoever did it. */
export function emailPage(
  visit: Visit,
  may: VerdictMay,
  found: FoundEmail,
  decided?: Html,
): Response {
  const parts = emailParts(visit, may, found);
  const main = html`<h1>${nameOfEmail(found)}</h1>
    ${decided && html`<p class="decided" role="status">${decided}</p>`}
    ${spokenPart(parts, 'state')} ${livePart(parts, 'verdict')}
    <section aria-labelledby="steps-title">
      <h2 id="steps-title">What happened</h2>
      ${livePart(parts, 'steps')}
    </section>
    <section aria-labelledby="record-title">
      <h2 id="record-title">The record</h2>
      ${livePart(parts, 'record')}
    </section>`;
  const known = found.record !== undefined || found.history.length > 0 || decided !== undefined;
  const title = `Email ${found.key}`;
  return page(
    known ? 200 : 404,
    framed(visit, { title, main, events: `/events?email=${found.key}` }),
  );
}

/** What changes while somebody looks. */
export function emailParts(
  visit: Visit,
  may: VerdictMay,
  found: FoundEmail,
): Parts<'state' | 'verdict' | 'steps' | 'record'> {
  const { record, history } = found;
  const { badge, sentence } = stateWords(found);
  return {
    state: html`${badge} ${sentence}`,
    verdict: record?.state === 'in-doubt' ? verdictForm(visit, may, record) : html``,
    steps: stepsOf(history),
    record: recordOf(found.key, record),
  };
}

function stepsOf(history: readonly JournalEntry[]): Html {
  if (history.length === 0)
    return html`<p>
      Nothing is told about it: the journal has no steps of it, does not answer, or there is none.
    </p>`;
  return html`<div class="wide" role="region" aria-label="Steps" tabindex="0">
      <table class="steps">
        <caption class="unseen">
          Steps of this email, the oldest first
        </caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Time (UTC)</th>
            <th scope="col" class="number">After</th>
            <th scope="col">Job or person</th>
            <th scope="col">Worker</th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          ${history.map((entry, index) => stepRow(entry, history[index - 1]))}
        </tbody>
      </table>
    </div>
    ${history.length >= MOST_STEPS && html`<p>These are the last ${MOST_STEPS} steps: the journal keeps no more.</p>`}`;
}

function stepRow(entry: JournalEntry, before: JournalEntry | undefined): Html {
  return html`<tr class="step ${entry.type}">
    <th scope="row">${stepWords(entry.type)}</th>
    <td>${timeOf(entry.atMs, true)}</td>
    <td class="number">${before && `+ ${lengthOf(entry.atMs - before.atMs)}`}</td>
    <td>${said(entry.by)}</td>
    <td>${said(entry.worker)}</td>
    <td>
      ${entry.dueMs === undefined ? said(entry.note ?? entry.messageId) : html`for ${timeOf(entry.dueMs)} UTC`}
    </td>
  </tr>`;
}

function recordOf(key: string, record: LedgerRecord | undefined): Html {
  if (!record) return html`<dl class="record">${row('Key', html`<code>${key}</code>`)}</dl>`;
  return html`<dl class="record">
      ${row('Key', html`<code>${key}</code>`)} ${row('State', record.state)}
      ${row(timeName(record), html`${timeOf(record.atMs, true)} UTC`)} ${row('By', said(record.by))}
      ${row('Message-ID', said(record.messageId))} ${row('Note', said(record.note))}
      ${record.fingerprint !== undefined && row('Fingerprint', html`<code>${record.fingerprint}</code>`)}
    </dl>
    ${
      record.result !== undefined &&
      html`<details id="result">
        <summary>
          What duplicates get back: the result of the processor, which may hold addresses
        </summary>
        <pre tabindex="0">${record.result}</pre>
      </details>`
    }`;
}

function row(name: string, value: Html | string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

function timeName({ state }: LedgerRecord): string {
  if (state === 'claimed') return 'Claimed';
  return state === 'dispatched' || state === 'in-doubt' ? 'Dispatched' : 'Settled';
}
