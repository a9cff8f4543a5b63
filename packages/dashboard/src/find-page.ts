import { type Sources } from '@sendonce/core';
import { findEmails, type FoundEmail } from '@sendonce/core/inspect';
import { page, redirect } from './answer.ts';
import { withDeadline } from './deadline.ts';
import { type Html, html, said } from './html.ts';
import { framed, type Visit } from './layout.ts';
import { timeOf } from './times.ts';
import { emails, nameOfEmail, stateWords } from './words.ts';

const LONGEST_QUERY = 500;

/** One email is shown, several are listed, and where there is none, why that may be. */
export async function findPage(visit: Visit, sources: Sources, text: string): Promise<Response> {
  const query = text.trim();
  if (query === '' || query.length > LONGEST_QUERY) {
    const main = html`<h1>Find an email</h1>
      ${query !== '' && html`<p>That is longer than ${LONGEST_QUERY} characters.</p>`}
      ${help(sources)}`;
    return page(query === '' ? 200 : 400, framed(visit, { title: 'Find an email', main }));
  }
  const found = await withDeadline(findEmails(sources, [query]));
  const [only] = found;
  if (only && found.length === 1) return redirect(`${visit.base}/email/${only.key}`);
  const main = only ? listOf(visit, found, query) : nothing(sources, query);
  return page(only ? 200 : 404, framed(visit, { title: `Find ${query}`, main, query }));
}

function listOf({ base }: Visit, found: readonly FoundEmail[], query: string): Html {
  return html`<h1>${emails(found.length)} for ${said(query)}</h1>
    <div class="wide" role="region" aria-label="Emails found" tabindex="0">
      <table>
        <caption class="unseen">
          Emails found
        </caption>
        <thead>
          <tr>
            ${['Email', 'State', 'Last step (UTC)', 'Job'].map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${found.map((email) => {
            const { key, record, history } = email;
            const last = history.at(-1);
            const atMs = last?.atMs ?? record?.atMs;
            return html`<tr>
              <th scope="row">
                <a href="${base}/email/${key}">${nameOfEmail(email)}</a>
              </th>
              <td>${stateWords(email).badge}</td>
              <td>${atMs !== undefined && timeOf(atMs)}</td>
              <td>${said(record?.by ?? last?.by)}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
}

function nothing(sources: Sources, query: string): Html {
  return html`<h1>Nothing found for ${said(query)}</h1>
    <p>
      Neither the ledger nor the journal knows an email by that: it was never claimed, or its
      retention is over.
    </p>
    ${help(sources)}`;
}

function help({ journal }: Sources): Html {
  return html`<p>Keys are hashed, so no part of one can be found alone. An email is found by:</p>
    <ul>
      <li>
        all parts that <code>key</code> selects, in their order:
        <code>delivery-notice 4711 ada@example.org</code>, or as JSON where a part has spaces:
        <code>["delivery-notice", 4711, "Ada L."]</code>;
      </li>
      <li>its key of 22 characters;</li>
      ${
        journal
          ? html`<li>
              its label, whole and as <code>label</code> of <code>once()</code> writes it, its
              Message-ID, or <code>queue:jobId</code>.
            </li>`
          : html`<li>
              while it is in doubt: its Message-ID, or <code>queue:jobId</code>. With a journal also
              by label, and afterwards.
            </li>`
      }
    </ul>`;
}
