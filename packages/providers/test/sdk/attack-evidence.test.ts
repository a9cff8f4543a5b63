import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, type Server } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveKey, memoryLedger } from '@sendonce/core';
import { expect, it, onTestFinished } from 'vitest';
import { attempt } from '../../../mail/test/helpers.ts';
import { fetchCall, postmarkSdk, sendWith } from '../../src/index.ts';

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

it('HTTP/2: undici 6 does not publish sendHeaders, which is no proof that nothing left', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'h2-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'k.pem'), join(folder, 'c.pem')];
  const args = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost'.split(' ');
  execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) });
  let emails = 0;
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume();
    // It has accepted the email, and its answer is lost.
    stream.on('end', () => {
      emails += 1;
      stream.close(2);
    });
  });
  const host = await listen(server as unknown as Server);
  // undici 6.29.1 of the lockfile; Node 20 and 22 have the same client.
  const require = createRequire(import.meta.url);
  const { Agent } = require('../../../../node_modules/.pnpm/undici@6.29.1/node_modules/undici');
  const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } });
  onTestFinished(() => dispatcher.destroy());
  const job = { ledger: memoryLedger(), key: deriveKey(['h2']) };
  // Any SDK that hides the cause: Resend and Postmark.
  const { state } = await attempt(job, () =>
    sendWith(postmarkSdk, () =>
      fetch(`https://${host}/email`, {
        method: 'POST',
        body: '{}',
        dispatcher,
      }).catch(() => Promise.reject(Object.assign(new Error('fetch failed'), { code: 0 }))),
    ),
  );
  expect(emails).toBe(1);
  expect(state).toBe('in-doubt');
});

/** Accepts the email, and its answer is lost. */
const losing = () =>
  createHttp((request) => {
    request.resume();
    request.on('end', () => request.socket.destroy());
  });
const post = (host: string) =>
  fetch(`http://${host}/emails`, { method: 'POST', body: '{}', headers: { connection: 'close' } });

it('a call that falls back to a second host: the error of the second proves nothing about the first', async () => {
  const first = await listen(losing());
  const job = { ledger: memoryLedger(), key: deriveKey(['fallback']) };
  const { state } = await attempt(job, () =>
    // Nothing listens at port 9.
    sendWith(fetchCall, () => post(first).catch(() => post('127.0.0.1:9999'))),
  );
  expect(state).toBe('in-doubt');
});

it('a call that falls back to a second host: the 429 of the second proves nothing about the first', async () => {
  const first = await listen(losing());
  const second = await listen(
    createHttp((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(429).end('{}'));
    }),
  );
  const job = { ledger: memoryLedger(), key: deriveKey(['fallback, 429']) };
  const { state } = await attempt(job, () =>
    sendWith(fetchCall, () => post(first).catch(() => post(second))),
  );
  expect(state).toBe('in-doubt');
});

it('a redirect after POST (303): the status of the page is not that of the email', async () => {
  const host = await listen(
    createHttp((request, response) => {
      request.resume();
      request.on('end', () => {
        if (request.method === 'POST') response.writeHead(303, { location: '/status/1' }).end();
        else response.writeHead(404).end('{}');
      });
    }),
  );
  const job = { ledger: memoryLedger(), key: deriveKey(['303']) };
  const { state } = await attempt(job, () => sendWith(fetchCall, () => post(host)));
  expect(state).toBe('in-doubt');
});
