import { parts, script, style } from './generated/assets.ts';
import { hash128 } from '@sendonce/core/ledger';
import { page } from './answer.ts';
import { type Html, html, said } from './html.ts';
import { timeOf } from './times.ts';

/** One visit: what every page of it needs to know. */
export interface Visit {
  /** What is put before paths. */
  readonly base: string;
  /** The name of who looks. */
  readonly viewer: string;
}

export interface Page {
  readonly title: string;
  readonly main: Html;
  /** What is asked for changes, after the base. */
  readonly events?: string;
  /** What is being looked for. */
  readonly query?: string;
}

// A browser keeps them until they are others.
const [styleVersion, scriptVersion] = [style + parts, script].map((text) =>
  hash128(text).slice(0, 8),
);

export function framed({ base, viewer }: Visit, { title, main, events, query }: Page): Html {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · sendonce</title>
      <link rel="icon" href="${base}/icon.svg" />
      <link rel="stylesheet" href="${base}/style.css?v=${styleVersion}" />
      ${events !== undefined && html`<script src="${base}/script.js?v=${scriptVersion}" defer></script>`}
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
        <p class="viewer"><span class="unseen">You are </span>${said(viewer)}</p>
      </header>
      <main id="main" tabindex="-1" ${events !== undefined && html`data-events="${base}${events}"`}>
        ${main}
      </main>
      <footer>
        <p id="as-of">
          As of ${timeOf(Date.now())} UTC. ${events !== undefined && 'Reload to see what changed.'}
        </p>
      </footer>
    </body>
  </html>`;
}

/** A page that says one thing. */
export function messagePage(
  visit: Visit,
  status: number,
  title: string,
  text: Html | string,
): Response {
  const main = html`<h1>${title}</h1>
    <p>${text}</p>
    <p><a href="${visit.base}/">To the overview</a></p>`;
  return page(status, framed(visit, { title, main }));
}

/** The same for those who were not let in: nothing else of the dashboard is in it. */
export function barePage(
  status: number,
  title: string,
  text: string,
  headers?: Readonly<Record<string, string>>,
): Response {
  const whole = html`<html lang="en">
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
  return page(status, whole, headers);
}
