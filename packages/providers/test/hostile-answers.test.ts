import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Readable, Transform } from 'node:stream';
import { createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import { deriveKey } from '@sendonce/core';
import { describe, expect, it } from 'vitest';
import { recordState, type Test } from '../../mail/test/helpers.ts';
import { providerNamed, setUp, trySend } from './helpers.ts';
import { doubt, lookUps } from './look-up-cases.ts';

const resend = providerNamed('Resend');
const limit = 1024 * 1024;
const key = deriveKey(['an email in doubt']);

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that answers as the test says, and its address. */
async function answeringServer(test: Test, answer: Answer) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    request.on('end', () => answer(response, request));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  test.onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function trySendTo(test: Test, answer: Answer, options: object = {}) {
  const { origin, requests } = await answeringServer(test, answer);
  const setup = await setUp(test, resend, {
    url: `${origin}/emails`,
    answerWithinMs: 30_000,
    ...options,
  });
  return { ...(await trySend(setup)), requests };
}

/** Writes an answer of `bytes` bytes, the JSON at its end. */
function writePadded(target: Readable | ServerResponse | Transform, json: string, bytes: number) {
  const stream = target as Transform;
  const block = Buffer.alloc(64 * 1024, ' ');
  let left = bytes - Buffer.byteLength(json);
  const write = () => {
    while (left > 0) {
      const piece = block.subarray(0, Math.min(left, block.length));
      left -= piece.length;
      if (!stream.write(piece)) return void stream.once('drain', write);
    }
    stream.end(json);
  };
  write();
}

const padded =
  (bytes: number, { status = 200, json = '{"id":"x1"}' } = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    writePadded(response, json, bytes);
  };

const compressions = { gzip: createGzip, deflate: createDeflate, br: createBrotliCompress };

const bomb =
  (encoding: keyof typeof compressions, json = '{"id":"x1"}'): Answer =>
  (response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-encoding': encoding,
    });
    const compress = compressions[encoding]();
    compress.pipe(response);
    response.on('close', () => compress.destroy());
    compress.on('error', () => {});
    writePadded(compress, json, 100 * limit);
  };

/** One byte each 20 ms, for ever. */
const drip: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

/** A `fetch` that looks at no signal. */
const deaf = {
  'never answers': () => new Promise<Response>(() => {}),
  'has a body that never ends': async () => new Response(new ReadableStream()),
};

describe('an answer to a transport', () => {
  it('of 1 MB is read', async (test) => {
    const { state } = await trySendTo(test, padded(limit));
    expect(state).toBe('sent');
  });

  it.for([200, 422, 401, 429, 500])(
    'with %i of more than 1 MB is unknown',
    async (status, test) => {
      const { state, error, job } = await trySendTo(test, padded(limit + 1, { status }));
      expect([state, await recordState(job)]).toEqual(['in-doubt', 'in-doubt']);
      expect(error).toMatchObject({
        outcome: 'unknown',
        reason: 'too-large',
        mayHaveLeft: 'maybe',
      });
    },
  );

  it.for(Object.keys(compressions))('that %s made small is unknown', async (encoding, test) => {
    const answer = bomb(encoding as keyof typeof compressions);
    const { state, error } = await trySendTo(test, answer);
    expect(state).toBe('in-doubt');
    expect(error).toMatchObject({ outcome: 'unknown', reason: 'too-large' });
  });

  it('that never ends is unknown, and its connection is closed', async (test) => {
    let closed: () => void;
    const whenClosed = new Promise<void>((resolve) => (closed = resolve));
    const { error } = await trySendTo(test, (response) => {
      response.on('close', () => closed());
      response.writeHead(200, { 'content-type': 'application/json' });
      writePadded(response, '', Number.POSITIVE_INFINITY);
    });
    expect(error).toMatchObject({ outcome: 'unknown', reason: 'too-large' });
    await whenClosed;
  });

  it('that drips is unknown after the timeout', async (test) => {
    const { state, error } = await trySendTo(test, drip, { answerWithinMs: 2000 });
    expect(state).toBe('in-doubt');
    expect(error).toMatchObject({ outcome: 'unknown', reason: 'unreadable' });
  });

  it.for(Object.entries(deaf))('of a fetch that %s is unknown', async ([, fetch], test) => {
    const setup = await setUp(test, resend, { fetch, answerWithinMs: 2000 });
    const { state, error } = await trySend(setup);
    expect(state).toBe('in-doubt');
    expect(error).toMatchObject({ outcome: 'unknown' });
  });

  it.for([301, 302, 303, 307, 308])(
    'with %i does not lead to another host',
    async (status, test) => {
      const other = await answeringServer(test, (response) => response.end('{"id":"x1"}'));
      const { state, requests } = await trySendTo(test, (response) => {
        response.writeHead(status, { location: `${other.origin}/stolen` }).end();
      });
      expect([state, requests.length, other.requests.length]).toEqual(['in-doubt', 1, 0]);
    },
  );

  it.for(['999999999', '9999999999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT', '-1'])(
    'with the absurd Retry-After %s has none, and a 503 with it is no refusal',
    async (value, test) => {
      for (const [status, outcome] of [
        [429, 'refused'],
        [503, 'unknown'],
      ] as const) {
        const { error } = await trySendTo(test, (response) => {
          response.writeHead(status, { 'retry-after': value }).end('{}');
        });
        expect(error).toMatchObject({ outcome, retryAfterMs: undefined });
      }
    },
  );
});

describe.for(lookUps)('an answer to the look-up of $name', (provider) => {
  const found = (request: IncomingMessage) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    return provider.found(key, {
      method: request.method,
      path: pathname,
      query: searchParams,
      headers: request.headers,
    });
  };
  const ask = async (test: Test, answer: Answer, options: object = {}) => {
    const { origin } = await answeringServer(test, answer);
    return provider.create(origin, { answerWithinMs: 30_000, ...options })(doubt(key));
  };

  it.for([
    [limit, 'sent'],
    [limit + 1, 'unknown'],
  ] as const)('of %i bytes is %s', async ([bytes, verdict], test) => {
    const answer: Answer = (response, request) => {
      const { status, body } = found(request);
      padded(bytes, { status, json: JSON.stringify(body) })(response, request);
    };
    expect(await ask(test, answer)).toBe(verdict);
  });

  it('that gzip made small, or that drips, is unknown', async (test) => {
    const answer: Answer = (response, request) => {
      bomb('gzip', JSON.stringify(found(request).body))(response, request);
    };
    expect(await ask(test, answer)).toBe('unknown');
    expect(await ask(test, drip, { answerWithinMs: 1000 })).toBe('unknown');
  });

  it.for(Object.entries(deaf))('of a fetch that %s is unknown', async ([, fetch]) => {
    const resolver = provider.create('http://127.0.0.1:9', { fetch, answerWithinMs: 1000 });
    expect(await resolver(doubt(key))).toBe('unknown');
  });

  it('does not lead to another host', async (test) => {
    const other = await answeringServer(test, (response, request) => {
      response.end(JSON.stringify(found(request).body));
    });
    const verdict = await ask(test, (response, { url }) => {
      response.writeHead(307, { location: `${other.origin}${url}` }).end();
    });
    expect([verdict, other.requests.length]).toEqual(['unknown', 0]);
  });
});
