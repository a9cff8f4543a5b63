import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequestPage } from '../layout.ts';
import type { Dashboard } from '../dashboard.ts';
import { pathInside } from '../routes.ts';
import { pathOf, requestOf } from './node-request.ts';
import { sendResponse } from './node-response.ts';

/** A handler for `node:http`, Express, connect and Nest. */
export type NodeHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * The dashboard for `node:http`, Express and Nest. A request outside of the mount goes to `next`,
 * if there is one.
 *
 * @example app.use('/emails', nodeHandler(dashboard({ ledger, basePath: '/emails' })));
 */
export function nodeHandler(board: Dashboard): NodeHandler {
  return (req, res, next) => {
    if (next && !isInside(board, pathOf(req))) return next();
    respond(board, requestOf(req, req), { req, res });
  };
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
