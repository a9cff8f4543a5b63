import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type FaultName, strike } from './provider-faults.ts';

export interface Reply {
  readonly status: number;
  /** Sent as JSON; undefined for an empty body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ProviderRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly body: Record<string, unknown>;
}

export interface Accepted extends ProviderRequest {
  readonly id: string;
  readonly key: string | undefined;
  readonly atMs: number;
  /** The status of its reply. Undefined while there is none, or if the connection ended before. */
  readonly answeredWith?: number | undefined;
}

/** How one provider behaves, as its documentation says. */
export interface Dialect {
  readonly path: string;
  /** Where it takes emails with a stored template, if elsewhere. */
  readonly templatePath?: string;
  readonly apiKey: string;
  apiKeyOf(headers: IncomingHttpHeaders): string | undefined;
  keyOf(request: ProviderRequest): string | undefined;
  /** How long it remembers a key; 0: it knows none. */
  readonly windowMs: number;
  /** A documented refusal of this request: a missing field, a malformed key. */
  check(request: ProviderRequest): Reply | undefined;
  accepted(id: string): Reply;
  /** A repetition within the window. */
  repeated(first: Accepted): Reply;
  /** The same key with other content; undefined: not documented. */
  readonly conflict?: Reply;
  /** The same key while the first request is being processed; undefined: not documented. */
  readonly inProgress?: Reply;
  /** Whether a 5xx uses up the key although no email was made. */
  readonly keepsKeyAfterError?: boolean;
  /** The body of an error with this status. */
  error(status: number): unknown;
}

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

export interface ProviderServer {
  readonly url: string;
  readonly apiKey: string;
  /** POSTs whose head arrived, wherever to. */
  readonly posts: number;
  readonly connections: number;
  /** What was read whole, in order. */
  readonly requests: ProviderRequest[];
  /** The emails that leave. */
  readonly accepted: Accepted[];
  /** Strikes the next request, once; a function is asked for each request. */
  setFault(fault: FaultName | (() => FaultName | undefined) | undefined): void;
  /** Calls the listener at each acceptance, before any reply. */
  onEmail(listener: (email: Accepted) => void): void;
  /** Moves the server's clock, from which the window is counted. */
  advance(ms: number): void;
  close(): Promise<void>;
}

/**
 * Starts a provider on 127.0.0.1 that remembers keys as it documents, and fails where a test wants
 * it.
 */
export async function startProviderServer(dialect: Dialect): Promise<ProviderServer> {
  const requests: ProviderRequest[] = [];
  const accepted: Writable<Accepted>[] = [];
  /** The first requests of keys that are used up without an email. */
  const failed: Writable<Accepted>[] = [];
  const pending = new Set<string>();
  const sockets = new Set<Socket>();
  let [posts, connections, aheadMs] = [0, 0, 0];
  const listeners: ((email: Accepted) => void)[] = [];
  let fault: FaultName | (() => FaultName | undefined) | undefined;
  const nowMs = () => Date.now() + aheadMs;

  const answer = (request: ProviderRequest): Reply => {
    if (dialect.apiKeyOf(request.headers) !== dialect.apiKey) return errorReply(401);
    const key = dialect.keyOf(request);
    const first = [...accepted, ...failed].find(
      (email) => key !== undefined && email.key === key && nowMs() - email.atMs < dialect.windowMs,
    );
    if (first && dialect.conflict && first.raw !== request.raw) return dialect.conflict;
    if (first) return dialect.repeated(first);
    if (dialect.inProgress && key !== undefined && pending.has(key)) {
      return dialect.inProgress;
    }
    const refusal = dialect.check(request);
    if (refusal) return refusal;
    const id = `id-${accepted.length + 1}`;
    const email = { ...request, id, key, atMs: nowMs() };
    accepted.push(email);
    for (const listener of listeners) listener(email);
    return dialect.accepted(id);
  };

  const errorReply = (status: number): Reply => ({ status, body: dialect.error(status) });

  const server = createServer((incoming, response) => {
    if (incoming.method === 'POST') posts++;
    const struck = typeof fault === 'function' ? fault() : fault;
    if (typeof fault !== 'function') fault = undefined;
    if (struck === 'reset-before-reading') return void incoming.socket.resetAndDestroy();
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (struck === 'reset-in-body') incoming.socket.resetAndDestroy();
    });
    incoming.on('end', () => {
      if (struck === 'reset-in-body') return;
      const raw = Buffer.concat(chunks).toString();
      const request = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        raw,
        body: readBody(raw),
      };
      requests.push(request);
      const before = accepted.length;
      response.on('finish', () => {
        const { statusCode: answeredWith } = response;
        const email = accepted[before];
        if (email) email.answeredWith = answeredWith;
        else if (dialect.keepsKeyAfterError && answeredWith >= 500) {
          failed.push({
            ...request,
            id: 'none',
            key: dialect.keyOf(request),
            atMs: nowMs(),
            answeredWith,
          });
        }
      });
      const { path, templatePath } = dialect;
      const isElsewhere = incoming.url !== path && incoming.url !== templatePath;
      if (isElsewhere) return send(response, errorReply(404));
      if (!struck) return send(response, answer(request));
      return strike(struck, {
        response,
        dialect,
        errorReply,
        accept: () => answer(request),
        hold: () => {
          const key = dialect.keyOf(request);
          if (key !== undefined) pending.add(key);
          return () => pending.delete(key ?? '');
        },
      });
    });
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}${dialect.path}`,
    apiKey: dialect.apiKey,
    get posts() {
      return posts;
    },
    get connections() {
      return connections;
    },
    requests,
    accepted,
    setFault: (next) => (fault = next),
    onEmail: (listener) => void listeners.push(listener),
    advance: (ms) => (aheadMs += ms),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** JSON, or the text fields of a form. */
function readBody(raw: string): Record<string, unknown> {
  if (raw.startsWith('{')) return JSON.parse(raw) as Record<string, unknown>;
  const fields = raw.matchAll(/; name="([^"]+)"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r]*)\r\n/g);
  return Object.fromEntries(Array.from(fields, ([, name, value]) => [name, value]));
}

export function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}
