import type { JournalEntry, LedgerRecord } from '@sendonce/core';
import { foldCopies, type FoundEmail, senderOf, type StepGroup } from '@sendonce/core/inspect';
import { describeResolver, describeState, describeStep, emailName } from './describe-email.ts';
import { type Html, html, textOr } from './html.ts';

import { formatNumber } from './numbers.ts';
import { type PageContext, renderPage } from './layout.ts';
import { livePart, type Parts, spokenPart } from './live-parts.ts';
import { pageResponse } from './responses.ts';
import { formatGap, timeElement } from './times.ts';
import { renderVerdictForm, type VerdictRights } from './verdict-form.ts';

/** The journal keeps no more steps of one email. */
const MAX_STEPS = 100;

export interface EmailView {
  readonly rights: VerdictRights;
  readonly email: FoundEmail;
  /** The verdict that this viewer has just given. */
  readonly notice?: Html | undefined;
}

export function emailPage(context: PageContext, view: EmailView): Response {
  const { email, notice } = view;
  const parts = emailParts(context, view);
  const main = html`<h1>${emailName(email)}</h1>
    ${notice && html`<p class="decided" role="status">${notice}</p>`} ${spokenPart(parts, 'state')}
    ${livePart(parts, 'verdict')}
    <section aria-labelledby="steps-title">
      <h2 id="steps-title">What happened</h2>
      ${livePart(parts, 'steps')}
    </section>
    <section aria-labelledby="record-title">
      <h2 id="record-title">The record</h2>
      ${livePart(parts, 'record')}
    </section>`;
  const isKnown = email.record !== undefined || email.history.length > 0 || notice !== undefined;
  const title = `Email ${email.key}`;
  const events = `/events?email=${email.key}`;
  return pageResponse(isKnown ? 200 : 404, renderPage(context, { title, main, events }));
}

/** The parts that change while the page is open. */
export function emailParts(
  context: PageContext,
  { rights, email }: EmailView,
): Parts<'state' | 'verdict' | 'steps' | 'record'> {
  const { record, history } = email;
  const { badge, sentence } = describeState(email);
  return {
    state: html`${badge} ${sentence} ${describeResolver(email)}`,
    verdict: record?.state === 'in-doubt' ? renderVerdictForm(context, rights, record) : html``,
    steps: renderSteps(history),
    record: renderRecord(email.key, record),
  };
}

function renderSteps(history: readonly JournalEntry[]): Html {
  if (history.length === 0)
    return html`<p>No history: the journal is empty, unavailable or not configured.</p>`;
  const groups = foldCopies(history);
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
          ${groups.map((group, index) => renderStep(group, groups[index - 1]?.at(-1), index))}
        </tbody>
      </table>
    </div>
    ${history.length >= MAX_STEPS && html`<p>These are the last ${MAX_STEPS} steps: the journal keeps no more.</p>`}`;
}

function renderStep(
  [entry, ...copies]: StepGroup,
  before: JournalEntry | undefined,
  index: number,
): Html {
  return html`<tr class="step ${entry.type}">
    <th scope="row">${describeStep(entry.type)}${copies.length > 0 && ` ×${copies.length + 1}`}</th>
    <td>${timeElement(entry.atMs, true)}</td>
    <td class="number">${before && formatGap(entry.atMs - before.atMs)}</td>
    <td>${textOr(senderOf(entry))}${copies.length > 0 && renderCopies(index, copies)}</td>
    <td>${textOr(entry.worker)}</td>
    <td class="cause">
      ${entry.dueMs === undefined ? textOr(entry.note ?? entry.messageId) : html`for ${timeElement(entry.dueMs)} UTC`}
    </td>
  </tr>`;
}

function renderCopies(index: number, copies: readonly JournalEntry[]): Html {
  return html`<details id="copies-${index}">
    <summary>and ${countOthers(copies.length)}</summary>
    <ul>
      ${copies.map((copy) => html`<li>${textOr(senderOf(copy))} ${timeElement(copy.atMs, true)}</li>`)}
    </ul>
  </details>`;
}

function countOthers(count: number): string {
  return count === 1 ? '1 other' : `${formatNumber(count)} others`;
}

function renderRecord(key: string, record: LedgerRecord | undefined): Html {
  const keyRow = renderRow('Key', html`<code>${key}</code>`);
  if (!record) return html`<dl class="record">${keyRow}</dl>`;
  const { state, atMs, messageId, note, resolvedBy, fingerprint, result } = record;
  return html`<dl class="record">
      ${keyRow} ${renderRow('State', state)}
      ${renderRow(timeName(record), html`${timeElement(atMs, true)} UTC`)}
      ${renderRow('By', textOr(senderOf(record)))} ${renderRow('Message-ID', textOr(messageId))}
      ${renderRow(state === 'sent' && resolvedBy !== undefined ? 'Note of the doubt' : 'Note', textOr(note))}
      ${resolvedBy !== undefined && renderRow('Resolved by', textOr(resolvedBy))}
      ${fingerprint !== undefined && renderRow('Fingerprint', html`<code>${fingerprint}</code>`)}
    </dl>
    ${
      result !== undefined &&
      html`<details id="result">
        <summary>
          What duplicates get back: the result of the processor, which may hold addresses
        </summary>
        <pre tabindex="0">${result}</pre>
      </details>`
    }`;
}

function renderRow(name: string, value: Html | string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

function timeName({ state }: LedgerRecord): string {
  if (state === 'claimed') return 'Claimed';
  return state === 'dispatched' || state === 'in-doubt' ? 'Dispatched' : 'Settled';
}
