import type { IncomingMessage, ServerResponse } from 'node:http';
import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';
import { badRequestPage } from '../layout.ts';
import type { Dashboard } from '../dashboard.ts';
import { pathInside } from '../routes.ts';
import { readPath, toRequest } from './node-request.ts';
import { sendResponse } from './node-response.ts';

/** A handler for `node:http`, Express, connect and Nest, as {@link nodeHandler} makes it. */
export type NodeHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * Serves the dashboard under `node:http`, Express and Nest. A request outside of `basePath` goes to
 * `next`, if there is one. If Express mounts it at another path than `basePath`, `next` gets an
 * {@link OptionError} that names both paths.
 * @param board a dashboard that {@link dashboard} made
 * @throws {OptionError} if `board` is not a dashboard
 *
 * @example app.use('/emails', nodeHandler(dashboard({ ledger, basePath: '/emails' })));
 */
export function nodeHandler(board: Dashboard): NodeHandler {
  checkDashboard('nodeHandler()', board);
  return (req, res, next) => {
    const mistake = next && findMountMistake(board, req);
    if (mistake) return next(mistake);
    if (next && !isInside(board, readPath(req))) return next();
    respond(board, toRequest(req, req), { req, res });
  };
}

/** Finds out early that an adapter got the options instead of the dashboard. @internal */
export function checkDashboard(adapter: string, board: unknown): asserts board is Dashboard {
  const { fetch, basePath } = (board ?? {}) as Partial<Dashboard>;
  if (typeof fetch === 'function' && typeof basePath === 'string') return;
  throw new OptionError(
    'board',
    `Expected ${adapter} to get a dashboard, as in ${adapter.replace('()', '')}(dashboard({ ledger })), ` +
      `got ${describe(board)}.`,
  );
}

/**
 * An error if Express, or a Nest on it, has mounted the handler where no path of the dashboard is.
 * Express tells the path of the mount as `baseUrl`, without regard to upper and lower case.
 */
function findMountMistake(
  { basePath }: Dashboard,
  { baseUrl }: IncomingMessage & { readonly baseUrl?: unknown },
): OptionError | undefined {
  if (typeof baseUrl !== 'string' || baseUrl === '') return undefined;
  if (pathInside(baseUrl.toLowerCase(), basePath.toLowerCase()) !== undefined) return undefined;
  return new OptionError(
    'basePath',
    `The dashboard has the basePath '${basePath}', and is mounted at '${baseUrl}'. ` +
      `Give dashboard() the option basePath: '${baseUrl}'.`,
  );
}

/** @internal */
export function respond(
  board: Dashboard,
  request: Request | undefined,
  { req, res }: { readonly req: IncomingMessage; readonly res: ServerResponse },
): void {
  const answer = request ? board.fetch(request) : Promise.resolve(badRequestPage());
  answer
    .then((response) => sendResponse(response, req, res))
    // Only the connection can fail here, so no response can be sent.
    .catch(() => res.destroy());
}

function isInside({ basePath }: Dashboard, path: string | undefined): boolean {
  return path !== undefined && pathInside(basePath.replace(/\/$/, ''), path) !== undefined;
}
