import type { IncomingMessage } from 'node:http';
import { rememberOriginal } from '../original.ts';

/** Properties that frameworks add to Node's request. */
type FrameworkRequest = IncomingMessage & {
  /** Express, connect: the path before the mount was removed from it. */
  readonly originalUrl?: string;
  /** Set if a parser has read the form before. */
  readonly body?: unknown;
};

/**
 * Converts Node's request into a web-standard one. Undefined for a request that no browser sends.
 * Never throws: no bytes of a stranger may end the process.
 */
export function toRequest(req: FrameworkRequest, original: unknown): Request | undefined {
  try {
    return convert(req, original);
  } catch {
    // A `Request` or `Headers` refuses it, or its connection has gone.
    return undefined;
  }
}

/** The path that the client asked for, as a URL writes it. Undefined if it did not ask for one. */
export function readPath(req: FrameworkRequest): string | undefined {
  const url = `http://unknown.invalid${readTarget(req)}`;
  return readTarget(req).startsWith('/') && URL.canParse(url) ? new URL(url).pathname : undefined;
}

function convert(req: FrameworkRequest, original: unknown): Request | undefined {
  const target = readTarget(req);
  const host = req.headers[':authority'] ?? req.headers.host ?? 'unknown.invalid';
  // Joined as text: in a relative URL, a target that begins with // would be another host.
  if (!target.startsWith('/') || typeof host !== 'string' || !isHost(host)) return undefined;
  const { method = 'GET' } = req;
  // HTTP/2 passes on any text as a method, and a `Request` would take "get" for GET.
  if (!/^[A-Z]+$/.test(method)) return undefined;
  const scheme = 'encrypted' in req.socket ? 'https' : 'http';
  const headers = readHeaders(req);
  headers.set('host', host);
  const body = method === 'GET' || method === 'HEAD' ? undefined : readBody(req);
  const request = new Request(`${scheme}://${host}${target}`, {
    method,
    headers,
    ...(body !== undefined && { body, duplex: 'half' }),
  });
  rememberOriginal(request, { request: original, remoteAddress: req.socket.remoteAddress });
  return request;
}

function readTarget(req: FrameworkRequest): string {
  return req.originalUrl ?? req.url ?? '';
}

function isHost(host: string): boolean {
  return /^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(host);
}

function readHeaders(req: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value = []] of Object.entries(req.headers)) {
    // The pseudo-headers of HTTP/2 begin with a colon.
    if (name.startsWith(':')) continue;
    for (const one of [value].flat()) headers.append(name, one);
  }
  return headers;
}

function readBody(req: FrameworkRequest): ReadableStream<Uint8Array> | URLSearchParams | string {
  if (!req.readableDidRead) return toStream(req);
  const { body } = req;
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body).toString();
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries((body ?? {}) as Record<string, unknown>)) {
    for (const one of listTexts(value)) form.append(name, one);
  }
  return form;
}

/** Of a field that a form has several times, parsers make a list, or an object if it is long. */
function listTexts(value: unknown): readonly string[] {
  const values: unknown[] =
    typeof value === 'object' && value !== null ? Object.values(value) : [value];
  return values.filter((one) => typeof one === 'string');
}

/**
 * A stream that can be cancelled in the middle. Cancelling Node's own stream would close the
 * connection.
 */
function toStream(req: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = req.iterator({ destroyOnReturn: false });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = (await chunks.next()) as IteratorResult<Buffer>;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
