import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { dashboard as pages, nodeHandler, type Viewer } from '@sendonce/dashboard';
import { type Command, textOf } from '../command.ts';
import { exit, UnavailableError, UsageError } from '../terminal.ts';

const COOKIE = 'sendonce';

export const dashboard: Command = {
  name: 'dashboard',
  usage: 'dashboard',
  summary: 'the same as pages, for a local look, until Ctrl-C',
  details: `  --port <number>   on this machine only (default: a free one)
  --resolve         whoever opens the address that it prints may decide doubts, under your name; without it, look only
  --by <name>       that name (default: the user of this machine)

  To let others look, mount @sendonce/dashboard in your app, behind its login.`,
  options: {
    port: { type: 'string' },
    resolve: { type: 'boolean' },
    by: { type: 'string' },
  },
  async run(given, terminal, open) {
    const port = portOf(textOf(given, 'port'));
    const desk = await open();
    const key = randomBytes(24).toString('base64url');
    const name = textOf(given, 'by') ?? userInfo().username;
    const authorize = given.values['resolve']
      ? viewerBy(key, { name, mayResolve: true })
      : undefined;
    const board = pages({
      ledger: desk.ledger,
      ...(desk.journal && { journal: desk.journal }),
      ...(desk.queue && { queues: desk.queue }),
      ...(authorize && { authorize }),
    });
    const show = nodeHandler(board);
    const server = createServer((request, response) => {
      if (authorize && admit(request, response, key)) return;
      show(request, response);
    });
    const url = `http://127.0.0.1:${await listening(server, port)}/`;
    const address = authorize ? `${url}?key=${key}` : url;
    if (given.json) terminal.out(JSON.stringify({ url: address }));
    else terminal.out(`${address}\n${terminal.paint.dim('Ctrl-C ends')}`);
    await stopped(terminal.stopped);
    board.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return exit.ok;
  },
};

function portOf(given = '0'): number {
  const port = /^\d{1,5}$/.test(given) ? Number(given) : NaN;
  if (port <= 65_535) return port;
  throw new UsageError('Expected --port to be a number from 0 to 65535.');
}

async function listening(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new UnavailableError(
          `The port ${port} cannot be used (${error.code}). Give another --port.`,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/**
 * The key in the address becomes a cookie that no page of another site sends, and is not kept in the history. Anybody else on
 * this machine reaches the port, too.
 */
function admit(request: IncomingMessage, response: ServerResponse, key: string): boolean {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (!isKey(searchParams.get('key'), key)) return false;
  const cookie = `${COOKIE}=${key}; HttpOnly; SameSite=Strict; Path=/`;
  response.writeHead(303, {
    location: pathname,
    'set-cookie': cookie,
    'cache-control': 'no-store',
  });
  response.end();
  return true;
}

function viewerBy(key: string, viewer: Viewer): (request: Request) => Viewer | undefined {
  return ({ headers }) => {
    // A name that leads here by somebody else's DNS is not this one.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.get('host') ?? '')) return undefined;
    const cookies = (headers.get('cookie') ?? '').split(/;\s*/);
    return cookies.some((cookie) => isKey(cookie.replace(`${COOKIE}=`, ''), key))
      ? viewer
      : undefined;
  };
}

function isKey(given: string | null, key: string): boolean {
  const [one, other] = [Buffer.from(given ?? ''), Buffer.from(key)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
