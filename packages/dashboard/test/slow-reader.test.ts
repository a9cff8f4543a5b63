import { createServer, get, type IncomingMessage } from 'node:http';
import { createServer as createHttp2Server, connect } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { sendResponse } from '../src/adapters/node-response.ts';

const CHUNKS = 60;
const CHUNK_BYTES = 256 * 1024;

/** More than a connection holds back, in many chunks: the server waits for its reader each time. */
function largeResponse(): Response {
  let sent = 0;
  return new Response(
    new ReadableStream({
      pull(controller) {
        if (sent === CHUNKS) return controller.close();
        sent += 1;
        controller.enqueue(new Uint8Array(CHUNK_BYTES));
      },
    }),
  );
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function collectWarnings(): string[] {
  const warnings: string[] = [];
  const note = (warning: Error) => void warnings.push(`${warning.name}: ${warning.message}`);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  return warnings;
}

/** Counts what a reader gets that takes a pause again and again. */
async function countSlowly(stream: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  let pauseAt = CHUNK_BYTES;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes < pauseAt) continue;
    pauseAt += CHUNK_BYTES;
    await sleep(5);
  }
  return bytes;
}

test('a slow reader over HTTP/1 gets everything, and leaves no listeners on its response', async () => {
  const warnings = collectWarnings();
  const listeners: number[] = [];
  const server = createServer((req, res) => {
    void sendResponse(largeResponse(), req, res);
    res.on('drain', () => listeners.push(res.listenerCount('close')));
  });
  const port = await listen(server);
  const response = await new Promise<IncomingMessage>((resolve) =>
    get({ port, host: '127.0.0.1', agent: false }, resolve),
  );
  expect(await countSlowly(response)).toBe(CHUNKS * CHUNK_BYTES);
  await new Promise((resolve) => void server.close(resolve));
  // Otherwise the reader was not slow.
  expect(listeners.length).toBeGreaterThan(12);
  expect(Math.max(...listeners)).toBe(listeners[0]);
  expect(warnings).toEqual([]);
});

test('a slow reader over HTTP/2 gets everything, and leaves no listeners on its response', async () => {
  const warnings = collectWarnings();
  const listeners: number[] = [];
  const server = createHttp2Server((req, res) => {
    void sendResponse(largeResponse(), req as never, res as never);
    res.on('drain', () => listeners.push(res.listenerCount('close')));
  });
  const session = connect(`http://127.0.0.1:${await listen(server)}`);
  const stream = session.request({ ':path': '/' });
  expect(await countSlowly(stream)).toBe(CHUNKS * CHUNK_BYTES);
  await new Promise<void>((resolve) => session.close(resolve));
  await new Promise((resolve) => void server.close(resolve));
  expect(listeners.length).toBeGreaterThan(12);
  expect(Math.max(...listeners)).toBe(listeners[0]);
  expect(warnings).toEqual([]);
});
