import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Reply, send } from './provider-server.ts';

/** What can go wrong with an answer. */
export const lookUpFaults = {
  unauthorized: {
    status: 401,
    body: { code: 'unauthorized', message: 'customer@customer.example' },
  },
  forbidden: { status: 403, body: { code: 'forbidden' } },
  'rate limit': { status: 429, body: { code: 'rate_limit' } },
  error: { status: 500, body: { code: 'internal' } },
  'another 2xx': { status: 204 },
  redirect: { status: 302, body: {}, headers: { location: '/elsewhere' } },
  'another object': { status: 200, body: { hello: 'world' } },
  'a list': { status: 200, body: [] },
  null: { status: 200, body: null },
  'no JSON': 'html',
  'a 404 of a proxy': 'html 404',
  'half an answer': 'cut off',
  reset: 'reset',
  silence: 'hang',
} as const satisfies Record<string, Reply | string>;
export type LookUpFault = keyof typeof lookUpFaults;

export interface LookUpRequest {
  readonly method: string | undefined;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface LookUpServer {
  readonly origin: string;
  readonly requests: LookUpRequest[];
  setFault(fault: LookUpFault | undefined): void;
  close(): Promise<void>;
}

/** A provider's log on 127.0.0.1, that answers as the test says. */
export async function startLookUpServer(
  answer: (request: LookUpRequest) => Reply,
): Promise<LookUpServer> {
  const requests: LookUpRequest[] = [];
  const sockets = new Set<Socket>();
  let fault: LookUpFault | undefined;
  const server = createServer(({ method, url = '/', headers }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const request = { method, path: pathname, query: searchParams, headers };
    requests.push(request);
    if (fault === undefined) return send(response, answer(request));
    const struck = lookUpFaults[fault];
    if (typeof struck === 'string') return strike(struck, response);
    send(response, struck);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    setFault: (next) => (fault = next),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

function strike(fault: string, response: ServerResponse): void {
  if (fault === 'hang') return;
  if (fault === 'reset') return void response.socket?.resetAndDestroy();
  if (fault === 'cut off') {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"events":[');
    return void setTimeout(() => response.socket?.end(), 10);
  }
  response.writeHead(fault === 'html' ? 200 : 404, { 'content-type': 'text/html' });
  response.end('<html>customer@customer.example</html>');
}
