import { isSendonceError, type Ledger, type Sources } from '@sendonce/core';
import { findEmails, type FoundEmail, senderOf } from '@sendonce/core/inspect';
import { isKey } from '@sendonce/core/ledger';
import { withDeadline } from './deadline.ts';
import { describeState, emailName, unreadableMessage } from './describe-email.ts';
import { type Html, html, textOr } from './html.ts';
import { type PageContext, renderPage } from './layout.ts';
import { countEmails } from './numbers.ts';
import { pageResponse, redirectTo } from './responses.ts';
import { withReads } from './sources.ts';
import { suggestLabels } from './suggest-labels.ts';
import { timeElement } from './times.ts';

const MAX_QUERY_LENGTH = 500;

/** Shows the only email found, lists several, or explains why there may be none. */
export async function findPage(
  context: PageContext,
  sources: Sources,
  text: string,
): Promise<Response> {
  const query = text.trim();
  if (query === '' || query.length > MAX_QUERY_LENGTH) return searchPage(context, sources, query);
  const { emails, unreadableKeys } = await withDeadline(findReadable(sources, query));
  const [first] = emails;
  const [hit, ...others] = [...emails.map(({ key }) => key), ...unreadableKeys.filter(isKey)];
  // The page of an email whose record cannot be read says so.
  if (hit !== undefined && others.length === 0) return redirectTo(`${context.base}/email/${hit}`);
  const suggestions = hit ? [] : await withDeadline(suggestLabels(sources, query));
  const nothing = () => renderNothing(context, sources, { query, suggestions });
  const main = html`${first && renderList(context, emails, query)} ${hit === undefined && nothing()}
  ${unreadableKeys.map((key) => html`<p class="trouble">${unreadableMessage(key)}</p>`)}`;
  const page = renderPage(context, { title: `Find ${query}`, main, query });
  return pageResponse(hit ? 200 : 404, page);
}

/** Finds emails. A record that cannot be read hides none of the others. */
async function findReadable({ ledger, journal }: Sources, query: string) {
  const unreadableKeys = new Set<string>();
  const note = (error: unknown) => {
    if (!isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) throw error;
    unreadableKeys.add(error.key);
  };
  const reads: Pick<Ledger, 'read' | 'list'> = {
    read: (key) =>
      ledger.read(key).catch((error: unknown) => {
        note(error);
        return undefined;
      }),
    async *list(options) {
      try {
        yield* ledger.list(options);
      } catch (error) {
        note(error);
      }
    },
  };
  const found = await findEmails({ ledger: withReads(ledger, reads), journal }, [query]);
  const emails = found.filter(({ key }) => !unreadableKeys.has(key));
  return { emails, unreadableKeys: [...unreadableKeys] };
}

/** The page without a query, or with one that is too long. */
function searchPage(context: PageContext, sources: Sources, query: string): Response {
  const main = html`<h1>Find an email</h1>
    ${query !== '' && html`<p>That is longer than ${MAX_QUERY_LENGTH} characters.</p>`}
    ${renderHelp(sources)}`;
  const page = renderPage(context, { title: 'Find an email', main });
  return pageResponse(query === '' ? 200 : 400, page);
}

function renderList({ base }: PageContext, emails: readonly FoundEmail[], query: string): Html {
  return html`<h1>${countEmails(emails.length)} for ${textOr(query)}</h1>
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
          ${emails.map((email) => renderEmail(base, email))}
        </tbody>
      </table>
    </div>`;
}

function renderEmail(base: string, email: FoundEmail): Html {
  const { key, record, history } = email;
  const last = history.at(-1);
  const atMs = last?.atMs ?? record?.atMs;
  const sender = (record && senderOf(record)) || (last && senderOf(last));
  return html`<tr>
    <th scope="row">
      <a href="${base}/email/${key}">${emailName(email)}</a>
    </th>
    <td>${describeState(email).badge}</td>
    <td>${atMs !== undefined && timeElement(atMs)}</td>
    <td>${textOr(sender)}</td>
  </tr>`;
}

interface NothingFound {
  readonly query: string;
  readonly suggestions: readonly string[];
}

function renderNothing(
  { base }: PageContext,
  sources: Sources,
  { query, suggestions }: NothingFound,
): Html {
  const links = suggestions.map(
    (label) =>
      html`<li><a href="${base}/find?q=${encodeURIComponent(label)}">${textOr(label)}</a></li>`,
  );
  return html`<h1>Nothing found for ${textOr(query)}</h1>
    ${
      links.length > 0 &&
      html`<p>Did you mean:</p>
        <ul class="suggestions">
          ${links}
        </ul>`
    }
    <p>
      Neither the ledger nor the journal knows such an email: it was never claimed, or its retention
      is over.
    </p>
    ${renderHelp(sources)}`;
}

function renderHelp({ journal }: Sources): Html {
  return html`<p>Keys are hashed, so no part of one can be found alone. An email is found by:</p>
    <ul>
      <li>
        all parts that <code>key</code> selects, in their order:
        <code>delivery-notice 4711 ada@example.org</code>, or as JSON if a part has spaces:
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
