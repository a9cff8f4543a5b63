import { createServer, request } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { memoryLedger } from '@sendonce/core';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dashboard, fastifyPlugin, nodeHandler } from '../src/index.ts';

type Headers = Readonly<Record<string, string>>;
type Where = { readonly port: number } | { readonly socketPath: string };

const board = dashboard({ ledger: memoryLedger(), basePath: '/emails' });

async function listen(server: Server): Promise<{ readonly port: number }> {
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port };
}

/** Asks from this machine; fetch() would not let a test choose the Host. */
function statusOf(where: Where, headers: Headers): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...where, host: '127.0.0.1', path: '/emails/', headers, agent: false },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode!));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

const localHosts = ['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:80', 'LOCALHOST'];
/** Names of other sites whose DNS was changed to 127.0.0.1, and names that pretend. */
const otherHosts = [
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.nip.io',
  'evil.example:3000',
  '10.0.0.7',
  '0.0.0.0',
  'localhost.',
];
const forwarded = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-original-host',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'x-amzn-trace-id',
  'x-envoy-external-address',
];

describe('without authorize, an adapter that knows the address of the connection', () => {
  const servers: Record<string, () => Promise<Where>> = {
    'node:http': () => listen(createServer(nodeHandler(board))),
    Express: () => {
      const app = express();
      app.set('trust proxy', true);
      app.use('/emails', nodeHandler(board));
      return listen(createServer(app));
    },
    async Fastify() {
      const app = fastify({ trustProxy: true });
      await app.register(fastifyPlugin(board), { prefix: '/emails' });
      onTestFinished(() => app.close());
      await app.listen({ port: 0, host: '127.0.0.1' });
      return { port: (app.server.address() as AddressInfo).port };
    },
  };
  test.each(Object.entries(servers))(
    '%s answers this machine, under a loopback name and through no proxy',
    async (_, start) => {
      const where = await start();
      for (const host of localHosts) {
        expect([host, await statusOf(where, { host })]).toEqual([host, 200]);
      }
      for (const host of otherHosts) {
        expect([host, await statusOf(where, { host })]).not.toEqual([host, 200]);
      }
      for (const name of forwarded) {
        const headers = { host: 'localhost', [name]: '10.0.0.7' };
        expect([name, await statusOf(where, headers)]).toEqual([name, 403]);
      }
    },
  );

  test('node:http2 answers this machine, under a loopback name', async () => {
    const { port } = await listen(
      createHttp2Server((req, res) => nodeHandler(board)(req as never, res as never)),
    );
    const session = connect(`http://127.0.0.1:${port}`);
    const ask = (authority: string) =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': '/emails/', ':authority': authority });
        stream.on('response', (headers) => resolve(headers[':status']));
        stream.resume();
      });
    expect(await ask('localhost:3000')).toBe(200);
    expect(await ask('evil.example')).toBe(403);
    await new Promise<void>((resolve) => session.close(resolve));
  });
});

describe('without authorize and without a known address, the answer is no', () => {
  test('to fetch(), under any name', async () => {
    for (const host of [...localHosts, ...otherHosts]) {
      const asked = new Request('http://localhost/emails/', { headers: { host } });
      const answered = await board.fetch(asked);
      expect([host, answered.status]).toEqual([host, 403]);
      expect(await answered.text()).toContain('authorize');
    }
  });

  test('under Hono, by mount and by a route', async () => {
    const app = new Hono();
    app.mount('/emails', board.fetch, { replaceRequest: false });
    const routed = new Hono();
    routed.all('/emails/*', (c) => board.fetch(c.req.raw));
    for (const { fetch } of [app, routed]) {
      const where = await listen(createAdaptorServer({ fetch }));
      for (const host of localHosts) {
        expect([host, await statusOf(where, { host })]).toEqual([host, 403]);
      }
    }
  });

  test('over a Unix socket, where a proxy asks', async () => {
    const socketPath = join(tmpdir(), `sendonce-${process.pid}.sock`);
    const server = createServer(nodeHandler(board));
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
    expect(await statusOf({ socketPath }, { host: 'localhost' })).toBe(403);
  });
});
