import { isSendonceError } from '@sendonce/core';
import { readEmail } from '@sendonce/core/inspect';
import { isKey, warn } from '@sendonce/core/ledger';
import { admit } from './admission.ts';
import { confirmManyPage } from './confirm-many-page.ts';
import { formToken } from './csrf.ts';
import { withDeadline } from './deadline.ts';
import { unreadableMessage } from './describe-email.ts';
import { doubtsPage } from './doubts-page.ts';
import { emailPage, emailParts } from './email-page.ts';
import { findPage } from './find-page.ts';
import { icon, script } from './generated/assets.ts';
import { badRequestPage, barePage, messagePage, type PageContext } from './layout.ts';
import { liveStreams } from './live-streams.ts';
import { overviewLoader } from './load-overview.ts';
import { MANY_SCOPE, MAX_MANY_BYTES } from './many-doubts.ts';
import { type DashboardOptions, resolveOptions, type Settings, type Viewer } from './options.ts';
import { overviewPage, overviewParts } from './overview-page.ts';
import { formatOverviewQuery, readOverviewQuery } from './overview-query.ts';
import { resolveManyPage } from './resolve-many-page.ts';
import { resolvePage, type ResolveSettings } from './resolve-page.ts';
import { assetResponse, streamResponse } from './responses.ts';
import { matchRoute, pathInside, type Route } from './routes.ts';
import { checkedSources } from './sources.ts';
import { stylesheet } from './stylesheet.ts';
import { admitForm } from './verdict-gate.ts';
import type { VerdictRights } from './verdict-form.ts';
import { verdictNotice } from './verdict-link.ts';

/**
 * What {@link dashboard} returns. Serve it by `fetch`, {@link nodeHandler} or
 * {@link fastifyPlugin}.
 */
export interface Dashboard extends AsyncDisposable {
  /** Answers a web-standard request. It never rejects: every failure is a page. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Where it is mounted: `'/'`, or a path without a slash at the end. */
  readonly basePath: string;
  /**
   * Ends the open event streams, so that a server can close, which waits for its connections. Stop
   * the server from accepting connections first: browsers connect again.
   */
  readonly close: () => Promise<void>;
}

/** One request of a viewer who was admitted. */
interface RequestContext {
  readonly request: Request;
  readonly url: URL;
  readonly viewer: Viewer;
  readonly page: PageContext;
  readonly rights: VerdictRights;
}

/**
 * Makes the pages that show which emails are sent, which duplicates were prevented and which emails
 * are in doubt, and that record verdicts. Mount `fetch` where your framework takes a web-standard
 * handler, or use {@link nodeHandler} or {@link fastifyPlugin}. Without `authorize`, only this
 * machine may look, and nothing can be resolved.
 * @throws {OptionError} if an option is wrong or unknown
 *
 * @example
 * const board = dashboard({ ledger, journal, queues: [queue], authorize, basePath: '/emails' });
 * app.use('/emails', nodeHandler(board));
 */
export function dashboard(options: DashboardOptions): Dashboard {
  const settings = resolveOptions(options);
  const { base, ledger, journal, secret } = settings;
  const sources = checkedSources(ledger, journal);
  const loadOverview = overviewLoader(sources);
  const streams = liveStreams();

  async function answerRoute(route: Route, context: RequestContext): Promise<Response> {
    const { request, url, viewer, page, rights } = context;
    switch (route.name) {
      case 'overview':
        return overviewPage(page, await withDeadline(loadOverview(readOverviewQuery(url))));
      case 'find':
        return findPage(page, sources, url.searchParams.get('q') ?? '');
      case 'email': {
        const { key } = route;
        const email = await withDeadline(readEmail(sources, key));
        const notice = verdictNotice(url.searchParams, { key, viewer, secret });
        return emailPage(page, { rights, email, notice });
      }
      case 'resolve':
        return resolvePage(page, { viewer, key: route.key, request }, { ...settings, sources });
      case 'doubts':
        return doubtsPage(page, sources, {
          fields: url.searchParams,
          csrf: rights.csrf?.(MANY_SCOPE),
        });
      case 'confirm-many':
      case 'resolve-many':
        return manyPage(route.name, context, { ...settings, sources });
      case 'events':
        return request.method === 'HEAD' ? streamResponse(null) : openStream(context);
      case 'style':
        return assetResponse(stylesheet, 'text/css');
      case 'script':
        return assetResponse(script, 'text/javascript');
      case 'icon':
        return assetResponse(icon, 'image/svg+xml');
    }
  }

  function openStream(context: RequestContext): Response {
    const { url, page } = context;
    const key = url.searchParams.get('email');
    if (key !== null && !isKey(key)) return notFoundPage(page);
    const stream = key === null ? openOverview(context) : openEmail(context, key);
    return stream
      ? streamResponse(stream)
      : messagePage(page, 503, 'Too many open pages', 'Reload this page later.');
  }

  function openOverview({ request, url, page }: RequestContext) {
    const query = readOverviewQuery(url);
    const topic = {
      name: `overview ${formatOverviewQuery(query)}`,
      load: () => loadOverview(query),
      render: (data: Awaited<ReturnType<typeof loadOverview>>) => overviewParts(page, data),
    };
    return streams.open(topic, request.signal);
  }

  function openEmail({ request, page, rights }: RequestContext, key: string) {
    const topic = {
      name: `email ${key}`,
      load: () => readEmail(sources, key),
      render: (email: Awaited<ReturnType<typeof readEmail>>) => emailParts(page, { rights, email }),
    };
    return streams.open(topic, request.signal);
  }

  async function answer(request: Request): Promise<Response> {
    // Some frameworks make a request of what is no URL, such as `GET //[`.
    if (!URL.canParse(request.url)) return badRequestPage();
    const url = new URL(request.url);
    const path = pathInside(base, url.pathname);
    if (path === undefined) {
      return barePage(404, 'Not found', `The dashboard is at ${base}/, not at this path.`);
    }
    const admission = await admit(request, settings);
    if ('deniedBecause' in admission) {
      return barePage(403, 'Access denied', admission.deniedBecause);
    }
    const { viewer } = admission;
    const page: PageContext = { base, viewer: viewer.name };
    const matched = matchRoute(path);
    if (!matched) return notFoundPage(page);
    const { route, methods } = matched;
    if (!methods.includes(request.method)) return methodPage(methods);
    const context = { request, url, viewer, page, rights: findRights(viewer, settings) };
    return answerRoute(route, context).catch((error: unknown) => failurePage(page, error));
  }

  const close = async () => streams.end();
  return {
    basePath: base || '/',
    async fetch(request) {
      const response = await answer(request).catch(unexpectedErrorPage);
      if (request.method !== 'HEAD') return response;
      return new Response(null, { status: response.status, headers: response.headers });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Reads the form of a verdict about many emails, and answers it. */
async function manyPage(
  step: 'confirm-many' | 'resolve-many',
  { request, viewer, page }: RequestContext,
  settings: ResolveSettings,
): Promise<Response> {
  const asked = { viewer, request, scope: MANY_SCOPE, maxBytes: MAX_MANY_BYTES };
  const admitted = await admitForm(asked, settings);
  if ('form' in admitted) {
    return step === 'confirm-many'
      ? confirmManyPage(page, { ...settings, ...admitted })
      : resolveManyPage(page, { viewer, ...admitted }, settings);
  }
  const stale =
    'This form was made for another person, or before the server started. Open the list again.';
  const { status, problem } = 'isStale' in admitted ? { status: 403, problem: stale } : admitted;
  return messagePage(page, status, 'Nothing was changed', problem);
}

function findRights(viewer: Viewer, { secret, findQueue }: Settings): VerdictRights {
  return {
    csrf: viewer.mayResolve ? (key) => formToken(secret, viewer.name, key) : undefined,
    retries: ({ job }) => job !== undefined && findQueue(job.queue) !== undefined,
  };
}

function notFoundPage(page: PageContext): Response {
  const text = `There is no such page. The dashboard is at ${page.base}/.`;
  return messagePage(page, 404, 'Not found', text);
}

function methodPage(methods: readonly string[]): Response {
  const headers = { allow: methods.join(', ') };
  return barePage(405, 'Not allowed', `Only ${methods.join(' and ')} here.`, headers);
}

/** Shows what failed, without the error's own words, which may name servers. */
function failurePage(page: PageContext, error: unknown): Response {
  if (isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) {
    const text =
      'The ledger or the journal does not answer. Nothing was changed; try again in a moment.';
    return messagePage(page, 503, 'No answer', text);
  }
  if (isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) {
    return messagePage(page, 500, 'A record cannot be read', unreadableMessage(error.key));
  }
  return unexpectedErrorPage(error);
}

function unexpectedErrorPage(error: unknown): Response {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  warn('SENDONCE_DASHBOARD', `The dashboard could not answer a request (${reason}).`);
  return barePage(
    500,
    'Something went wrong',
    'The page could not be made, and nothing was changed. The reason is a warning of the server process.',
  );
}
