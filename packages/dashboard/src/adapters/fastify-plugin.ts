import type { IncomingMessage, ServerResponse } from 'node:http';
import { OptionError } from '@sendonce/core';
import type { Dashboard } from '../dashboard.ts';
import { checkDashboard, respond } from './node-handler.ts';
import { toRequest } from './node-request.ts';

/** The methods of a Fastify instance that {@link fastifyPlugin} uses. */
export interface FastifyLike {
  readonly prefix: string;
  all(
    path: string,
    handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => void,
  ): unknown;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: null) => void) => void,
  ): unknown;
  removeAllContentTypeParsers(): void;
  addHook(name: 'preClose', hook: () => Promise<void>): unknown;
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}

interface FastifyReplyLike {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/**
 * Makes a Fastify plugin of the dashboard. `prefix` must be its `basePath`. Your hooks, such as an
 * authentication, run before it. The plugin closes the dashboard when Fastify closes.
 * @param board a dashboard that {@link dashboard} made
 * @throws {OptionError} if `board` is not a dashboard; when Fastify loads the plugin, if the prefix
 *   differs from `basePath`
 *
 * @example
 * const board = dashboard({ ledger, basePath: '/emails' });
 * app.register(fastifyPlugin(board), { prefix: '/emails' });
 */
export function fastifyPlugin(board: Dashboard): (app: FastifyLike) => Promise<void> {
  checkDashboard('fastifyPlugin()', board);
  return async (app) => {
    if ((app.prefix.replace(/\/$/, '') || '/') !== board.basePath) {
      throw new OptionError(
        'basePath',
        `Expected "basePath" of the dashboard ('${board.basePath}') to be the prefix of its plugin ('${app.prefix}').`,
      );
    }
    // The dashboard reads its forms itself, and stops if one is too large.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const handler = (request: FastifyRequestLike, reply: FastifyReplyLike) => {
      reply.hijack();
      respond(board, toRequest(request.raw, request), { req: request.raw, res: reply.raw });
    };
    app.all('/', handler);
    app.all('/*', handler);
    app.addHook('preClose', board.close);
  };
}
