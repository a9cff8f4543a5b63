import { hash128 } from '@sendonce/core/ledger';
import { script } from './generated/assets.ts';
import { type Html, html, textOr } from './html.ts';
import { pageResponse } from './responses.ts';
import { stylesheet } from './stylesheet.ts';
import { timeElement } from './times.ts';

/** What every page of one request needs. */
export interface PageContext {
  /** The path of the mount, which begins every link: '' or '/emails'. */
  readonly base: string;
  /** The name of the viewer. */
  readonly viewer: string;
}

export interface Page {
  readonly title: string;
  readonly main: Html;
  /** The path of the page's event stream, below the base. Without one the page is not live. */
  readonly events?: string;
  /** Whether the page needs the script without being live. */
  readonly hasScript?: boolean;
  /** The text in the search field. */
  readonly query?: string;
}

// Part of the URL, because a browser caches both files.
const [styleVersion, scriptVersion] = [stylesheet, script].map((text) => hash128(text).slice(0, 8));

export function renderPage(
  { base, viewer }: PageContext,
  { title, main, events, hasScript = events !== undefined, query }: Page,
): Html {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · sendonce</title>
      <link rel="icon" href="${base}/icon.svg" />
      <link rel="stylesheet" href="${base}/style.css?v=${styleVersion}" />
      ${hasScript && html`<script src="${base}/script.js?v=${scriptVersion}" defer></script>`}
    </head>
    <body>
      <a class="skip" href="#main">To the content</a>
      <header>
        <a class="home" href="${base}/">sendonce</a>
        <form class="find" role="search" action="${base}/find">
          <label class="unseen" for="q">Find an email</label>
          <input
            id="q"
            name="q"
            type="search"
            value="${query}"
            maxlength="500"
            autocomplete="off"
            spellcheck="false"
            placeholder="Order, Message-ID, queue:jobId, key or its parts"
          />
          <button>Find</button>
        </form>
        <p class="viewer"><span class="unseen">You are </span>${textOr(viewer)}</p>
      </header>
      <main id="main" tabindex="-1" ${events !== undefined && html`data-events="${base}${events}"`}>
        ${main}
      </main>
      <footer>
        <p id="as-of">
          As of ${timeElement(Date.now())} UTC.
          ${events !== undefined && 'Reload to see what changed.'}
        </p>
      </footer>
    </body>
  </html>`;
}

/** A page with one message. */
export function messagePage(
  context: PageContext,
  status: number,
  title: string,
  text: Html | string,
): Response {
  const main = html`<h1>${title}</h1>
    <p>${text}</p>
    <p><a href="${context.base}/">To the overview</a></p>`;
  return pageResponse(status, renderPage(context, { title, main }));
}

/**
 * A page with one message for a viewer who was not admitted. It contains nothing else of the
 * dashboard.
 */
export function barePage(
  status: number,
  title: string,
  text: string,
  headers?: Readonly<Record<string, string>>,
): Response {
  const markup = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <title>${title}</title>
    </head>
    <body>
      <main>
        <h1>${title}</h1>
        <p>${text}</p>
      </main>
    </body>
  </html>`;
  return pageResponse(status, markup, headers);
}

/** For what is not a request of a browser. */
export function badRequestPage(): Response {
  return barePage(400, 'Bad request', 'The server cannot read this request.');
}
