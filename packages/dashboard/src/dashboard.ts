import { isSendonceError } from '@sendonce/core';
import { readEmail } from '@sendonce/core/inspect';
import { admit } from './admission.ts';
import { answer } from './answer.ts';
import { formToken } from './csrf.ts';
import { withDeadline } from './deadline.ts';
import { emailPage, emailParts } from './email-page.ts';
import { findPage } from './find-page.ts';
import { icon, parts, script, style } from './generated/assets.ts';
import { barePage, messagePage, type Visit } from './layout.ts';
import { liveStreams, type Topic } from './live-streams.ts';
import { type DashboardOptions, type Settings, settingsOf, type Viewer } from './options.ts';
import { type Days, overviewLoader } from './overview-data.ts';
import { overviewPage, overviewParts } from './overview-page.ts';
import { decidedWords, resolvePage } from './resolve-page.ts';
import { type Place, placeOf } from './places.ts';
import { sourcesOf } from './sources.ts';
import type { VerdictMay } from './verdict-form.ts';
import { unreadableWords } from './words.ts';

export interface Dashboard {
  /** Answers a request, always: whatever goes wrong is a page. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Where it is mounted: `'/'`, or without a slash at the end. */
  readonly basePath: string;
  /** Ends the open event streams, so that a server can close. The browsers ask again. */
  readonly close: () => void;
}

/** Everything that one request is about. */
interface Asked {
  readonly request: Request;
  readonly url: URL;
  readonly viewer: Viewer;
  readonly visit: Visit;
  readonly may: VerdictMay;
}

/**
 * Pages that show what goes out, what was prevented, and what is in doubt, and take verdicts. Mount `fetch` where
 * your framework takes a web-standard handler, or use `nodeHandler()` or `fastifyPlugin()`.
 * @throws {OptionError} for wrong options.
 *
 * @example
 * const board = dashboard({ ledger, journal, queues: [queue], authorize, basePath: '/emails' });
 * app.use('/emails', nodeHandler(board));
 */
export function dashboard(options: DashboardOptions): Dashboard {
  const settings = settingsOf(options);
  const { base, ledger, journal } = settings;
  const sources = sourcesOf(ledger, journal);
  const overview = overviewLoader(sources);
  const streams = liveStreams();

  async function show(place: Place, asked: Asked): Promise<Response> {
    const { request, url, viewer, visit, may } = asked;
    switch (place.name) {
      case 'overview':
        return overviewPage(visit, await withDeadline(overview(daysOf(url))));
      case 'find':
        return findPage(visit, sources, url.searchParams.get('q') ?? '');
      case 'email': {
        const found = await withDeadline(readEmail(sources, place.key));
        const { key } = place;
        const told = decidedWords(url.searchParams, { key, viewer, secret: settings.secret });
        return emailPage(visit, may, found, told);
      }
      case 'resolve':
        return resolvePage(visit, { viewer, key: place.key, request }, { ...settings, sources });
      case 'events':
        return request.method === 'HEAD' ? stream(null) : events(asked);
      case 'style':
        return asset(style + parts, 'text/css');
      case 'script':
        return asset(script, 'text/javascript');
      case 'icon':
        return asset(icon, 'image/svg+xml');
    }
  }

  function events({ request, url, visit, may }: Asked): Response {
    const key = url.searchParams.get('email');
    if (key !== null && !/^[\w-]{22}$/.test(key)) return notFound(visit);
    const days = daysOf(url);
    const topic: Topic<never> =
      key === null
        ? topicOf({
            name: `days ${days}`,
            load: () => overview(days),
            render: (data) => overviewParts(visit, data),
          })
        : topicOf({
            name: `email ${key}`,
            load: () => readEmail(sources, key),
            render: (found) => emailParts(visit, may, found),
          });
    const opened = streams.open(topic, request.signal);
    return opened
      ? stream(opened)
      : messagePage(visit, 503, 'Too many listen', 'Reload this page later.');
  }

  async function answerTo(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = pathInside(base, url.pathname);
    if (path === undefined) return barePage(404, 'Not found', 'The dashboard is not mounted here.');
    const admission = await admit(request, settings);
    if ('refused' in admission) return barePage(403, 'Not for you', admission.refused);
    const { viewer } = admission;
    const visit: Visit = { base, viewer: viewer.name };
    const found = placeOf(path);
    if (!found) return notFound(visit);
    if (!found.methods.includes(request.method)) {
      const allow = { allow: found.methods.join(', ') };
      return barePage(405, 'Not allowed', `Only ${found.methods.join(' and ')} here.`, allow);
    }
    return show(found.place, { request, url, viewer, visit, may: mayOf(viewer, settings) }).catch(
      (error: unknown) => failed(visit, error),
    );
  }

  return {
    basePath: base || '/',
    async fetch(request) {
      const response = await answerTo(request).catch(unexpected);
      if (request.method !== 'HEAD') return response;
      return new Response(null, { status: response.status, headers: response.headers });
    },
    close: () => streams.end(),
  };
}

/** The rest of a path, or undefined for one outside of the mount. @internal */
export function pathInside(base: string, pathname: string): string | undefined {
  if (pathname === base) return '/';
  return pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined;
}

function topicOf<Data>(topic: Topic<Data>): Topic<never> {
  // Data goes from its own load to its own render only.
  return topic as unknown as Topic<never>;
}

function mayOf(viewer: Viewer, { secret, findQueue }: Settings): VerdictMay {
  return {
    csrf: viewer.mayResolve ? (key) => formToken(secret, viewer.name, key) : undefined,
    retries: (record) => record.job !== undefined && findQueue(record.job.queue) !== undefined,
  };
}

function daysOf(url: URL): Days {
  return url.searchParams.get('days') === '7' ? 7 : 1;
}

function asset(text: string, type: string): Response {
  const kept = 'private, max-age=86400';
  return answer(200, text, { 'content-type': `${type}; charset=utf-8`, 'cache-control': kept });
}

function stream(body: ReadableStream<Uint8Array> | null): Response {
  return answer(200, body, {
    'content-type': 'text/event-stream; charset=utf-8',
    // Neither compressed nor collected on the way, or nothing would arrive.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
}

function notFound(visit: Visit): Response {
  return messagePage(visit, 404, 'Not found', 'There is no such page.');
}

/** What the ledger could not tell: one line, without its own words, which may name servers. */
function failed(visit: Visit, error: unknown): Response {
  if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) {
    const text =
      'The ledger or the journal does not answer. Nothing was changed; try again in a moment.';
    return messagePage(visit, 503, 'No answer', text);
  }
  if (isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) {
    const key = 'key' in error ? String(error.key) : '';
    return messagePage(visit, 500, 'A record cannot be read', unreadableWords(key));
  }
  return unexpected(error);
}

function unexpected(error: unknown): Response {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`The dashboard could not answer (${why}).`, {
    type: 'SendonceWarning',
    code: 'SENDONCE_DASHBOARD',
  });
  const text = 'The page could not be made, and nothing was changed. The process has warned why.';
  return barePage(500, 'An error', text);
}
