import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { OptionError } from '@sendonce/core';
import { dashboard as pages, nodeHandler } from '@sendonce/dashboard';
import { type Command, textOption } from '../command.ts';
import { toJson } from '../json.ts';
import { findNothingKnown, reportNothingKnown } from '../nothing-known.ts';
import { exitCodes, UsageError } from '../terminal.ts';

const COOKIE = 'sendonce';

export const dashboard: Command = {
  name: 'dashboard',
  summary: 'the dashboard on this machine, until Ctrl-C',
  details:
    'Only a browser with the printed URL can look: the URL has a key, which becomes a cookie. To let others look, mount @sendonce/dashboard in your app, behind its login.',
  options: [
    ['--port <number>', 'a port of this machine only (default: a free one)'],
    [
      '--resolve',
      'allows anyone with the printed URL to resolve, under your name; without it, they can only look',
    ],
    ['--by <name>', 'that name (default: the user of this machine)'],
  ],
  async run(commandLine, terminal, openBackend) {
    const port = parsePort(textOption(commandLine, 'port'));
    const backend = await openBackend();
    const { ledger, journal, findQueue } = backend;
    const nothingKnown = await findNothingKnown(backend);
    const key = randomBytes(24).toString('base64url');
    // A browser sends a cookie to all ports of its host, below its path. A path that only this
    // dashboard has keeps the cookie from programs at other ports, and from other dashboards.
    const basePath = `/${randomBytes(12).toString('base64url')}`;
    const name = textOption(commandLine, 'by') ?? userInfo().username;
    const viewer = { name, mayResolve: commandLine.values['resolve'] === true };
    const authorize = ({ headers }: Request) =>
      hasKey(key, headers.get('host') ?? '', headers.get('cookie') ?? '') ? viewer : undefined;
    const board = pages({ ledger, journal, queues: findQueue, authorize, basePath });
    const handle = nodeHandler(board);
    const entrance = { path: `${basePath}/?key=${key}`, basePath, key };
    const server = createServer((request, response) => {
      const { url = '', headers } = request;
      if (isSameText(url, entrance.path)) setCookie(response, entrance);
      else if (url.startsWith(basePath) && !hasKey(key, headers.host, headers.cookie))
        deny(response);
      else handle(request, response);
    });
    const address = `http://127.0.0.1:${await listen(server, port)}${entrance.path}`;
    if (commandLine.json) terminal.out(toJson({ url: address, nothingKnown }));
    else {
      terminal.out(`${address}\n${terminal.paint.dim('Ctrl-C ends')}`);
      if (nothingKnown) reportNothingKnown(nothingKnown, terminal);
    }
    await waitForAbort(terminal.stopped);
    await board.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return exitCodes.ok;
  },
};

function parsePort(text = '0'): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw new UsageError('Expected --port to be a number from 0 to 65535.');
}

/** @returns the port */
async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new OptionError(
          'port',
          `The port ${port} cannot be used (${error.code}). Give another --port.`,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

interface Entrance {
  /** The path of the URL that is printed. */
  readonly path: string;
  readonly basePath: string;
  readonly key: string;
}

/**
 * Turns the key in the URL into a cookie, which a page of another site does not send and the
 * browser's history does not keep. The key is needed because other users of this machine can reach
 * the port.
 */
function setCookie(response: ServerResponse, { basePath, key }: Entrance): void {
  response.writeHead(303, {
    location: `${basePath}/`,
    'set-cookie': `${COOKIE}=${key}; HttpOnly; SameSite=Strict; Path=${basePath}`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  });
  response.end();
}

/** Answers a browser that has no cookie, in words for the person before it. */
function deny(response: ServerResponse): void {
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(
    'This address needs its key. Open the whole URL that "sendonce dashboard" printed, in the same browser. ' +
      'The key is new each time that the command starts.\n',
  );
}

/** Whether a request has the cookie. Its Host stops DNS rebinding. */
function hasKey(key: string, host = '', cookie = ''): boolean {
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) return false;
  return cookie.split(/;\s*/).some((one) => isSameText(one, `${COOKIE}=${key}`));
}

function isSameText(text: string | undefined, expected: string): boolean {
  const [one, other] = [Buffer.from(text ?? ''), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
