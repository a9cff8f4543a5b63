import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { deriveKey, OptionError } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dashboard, type Dashboard, fastifyPlugin, nodeHandler } from '../src/index.ts';
import { byHeader, doubtfulEmail, failedJob, serve, startStage } from './stage.ts';

const key = deriveKey(['notice', 7]);

/**
 * Each serves the dashboard under /emails, and its own page under /own. Returns the origin.
 */
const adapters: Record<string, (board: Dashboard) => Promise<string>> = {
  async 'node:http'(board) {
    const handler = nodeHandler(board);
    return serve((req, res) => handler(req, res, () => res.end('own')));
  },

  async 'Express 5'(board) {
    const app = express();
    app.use('/emails', nodeHandler(board));
    app.get('/own', (_, res) => void res.send('own'));
    return serve(app);
  },

  async 'Express 5, mounted nowhere, after a parser of forms'(board) {
    const app = express();
    app.use(express.urlencoded());
    app.use(nodeHandler(board));
    app.get('/own', (_, res) => void res.send('own'));
    return serve(app);
  },

  async 'Nest 12'(board) {
    class AppModule {
      readonly name = 'own';
    }
    Module({})(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false });
    app.use('/emails', nodeHandler(board));
    app.use('/own', (_: unknown, res: { send(text: string): void }) => res.send('own'));
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    // A browser's stream would hold it open.
    onTestFinished(() => board.close());
    return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  },

  async 'Fastify 5'(board) {
    const app = fastify();
    await app.register(fastifyPlugin(board), { prefix: '/emails' });
    app.get('/own', () => 'own');
    onTestFinished(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  },

  async 'Hono, by mount'(board) {
    const app = new Hono();
    app.mount('/emails', board.fetch, { replaceRequest: false });
    return serveHono(app);
  },

  async 'Hono, by a route'(board) {
    const app = new Hono();
    app.all('/emails/*', (c) => board.fetch(c.req.raw));
    return serveHono(app);
  },
};

async function serveHono(app: Hono): Promise<string> {
  app.get('/own', (c) => c.text('own'));
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each(Object.entries(adapters))('%s', (_, start) => {
  async function scene() {
    const { ledger, journal } = startStage();
    const token = await doubtfulEmail({ ledger, journal }, key, { label: 'order 7' });
    const queue = failedJob();
    const options = { ledger, journal, queues: [queue], authorize: byHeader };
    const watched = watch(dashboard({ ...options, basePath: '/emails' }));
    const origin = await start(watched.board);
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(origin + path, {
        redirect: 'manual',
        ...init,
        headers: { 'x-user': 'ada', ...(init.headers as Record<string, string>) },
      });
    return { ledger, token, queue, ask, origin, ...watched };
  }

  test('links, files and redirects keep the mount, and what is beside it is left alone', async () => {
    const { ask, origin } = await scene();
    for (const path of ['/emails', '/emails/', `/emails/email/${key}`, '/emails/find']) {
      const page = await ask(path);
      expect([path, page.status]).toEqual([path, 200]);
      const text = await page.text();
      const links = [...text.matchAll(/(?:href|src|action|data-events)="([^"#]+)"/g)].map(
        ([, link]) => link!,
      );
      expect(links.length).toBeGreaterThan(3);
      for (const link of links) {
        expect(link).toMatch(/^\/emails\//);
        if (link.includes('events') || link.includes('resolve')) continue;
        expect([link, (await ask(link)).status]).toEqual([link, 200]);
      }
    }
    const found = await ask(`/emails/find?q=${encodeURIComponent('order 7')}`);
    expect([found.status, found.headers.get('location')]).toEqual([303, `/emails/email/${key}`]);
    expect(await (await fetch(`${origin}/own`)).text()).toBe('own');
    expect((await ask('/emails/nowhere')).status).toBe(404);
    expect((await ask('/emails', { headers: { 'x-user': 'ada' }, method: 'HEAD' })).status).toBe(
      200,
    );
    expect((await fetch(`${origin}/emails`)).status).toBe(403);
  });

  test('a form is taken, an oversized one is not', async () => {
    const { ask, ledger, token, queue, origin } = await scene();
    const page = await (await ask(`/emails/email/${key}`)).text();
    const csrf = /name="csrf" value="([\w-]+)"/.exec(page)?.[1] ?? '';
    const post = (body: URLSearchParams) =>
      ask(`/emails/email/${key}/resolve`, { method: 'POST', body, headers: { origin } });
    const fields = { csrf, token, verdict: 'sent', confirmed: 'yes' };
    expect((await post(new URLSearchParams({ ...fields, why: 'a'.repeat(50_000) }))).status).toBe(
      413,
    );
    expect(await ledger.read(key)).toMatchObject({ state: 'in-doubt' });
    const taken = await post(new URLSearchParams({ ...fields, why: 'the log' }));
    expect(taken.status).toBe(303);
    expect(taken.headers.get('location')).toContain(
      `/emails/email/${key}?decided=sent&job=retried`,
    );
    expect(await ledger.read(key)).toMatchObject({
      state: 'sent',
      resolvedBy: 'ada: the log',
    });
    expect(queue.retried).toBe(1);
  });

  test('events stream, and end with the client, or with close()', async () => {
    const { ask, board, streams } = await scene();
    const controller = new AbortController();
    const { signal } = controller;
    const first = await ask('/emails/events?days=1', { signal });
    expect(first.headers.get('content-type')).toContain('text/event-stream');
    expect(await readUntil(first, 'order 7')).toContain('event: parts');
    expect(streams).toEqual(['open']);
    controller.abort();
    await eventually(() => expect(streams).toEqual(['cancelled']));

    const second = await ask(`/emails/events?email=${key}`);
    expect(await readUntil(second, 'Was it sent?')).toContain('event: parts');
    await board.close();
    await eventually(() => expect(streams).toEqual(['cancelled', 'closed']));
    await second.body?.cancel();
  });
});

test('a dashboard that goes out of scope ends its streams', async () => {
  const { ledger } = startStage();
  let stream: Response;
  {
    await using board = dashboard({ ledger, authorize: byHeader });
    const request = new Request('http://a/events', { headers: { 'x-user': 'ada' } });
    stream = await board.fetch(request);
  }
  // The text is complete only when the stream has ended.
  expect(await stream.text()).toContain('retry: 2000');
});

test('a prefix of Fastify that is another one than basePath is refused', async () => {
  const { ledger } = startStage();
  const app = fastify();
  onTestFinished(() => app.close());
  const plugin = fastifyPlugin(dashboard({ ledger, basePath: '/emails' }));
  const registered = (async () => app.register(plugin, { prefix: '/mails' }))();
  await expect(registered).rejects.toThrow(
    expect.objectContaining({ option: 'basePath' }) as OptionError,
  );
});

test.each([
  ['/', '/emails'],
  ['/emails', '/mail'],
  ['/emails', '/emails/old'],
])('Express gets an error that names both paths: basePath %s, mounted at %s', async (...paths) => {
  const [basePath, mount] = paths;
  const { ledger } = startStage();
  const app = express();
  app.use(mount, nodeHandler(dashboard({ ledger, basePath, authorize: byHeader })));
  app.use(((error: OptionError, _req, res, _next) => {
    res.status(500).send(error.message);
  }) satisfies express.ErrorRequestHandler);
  const origin = await serve(app);
  const answered = await fetch(`${origin}${mount}/find`, { headers: { 'x-user': 'ada' } });
  expect(answered.status).toBe(500);
  expect(await answered.text()).toContain(
    `The dashboard has the basePath '${basePath}', and is mounted at '${mount}'. ` +
      `Give dashboard() the option basePath: '${mount}'.`,
  );
});

test('Express may mount it in a router, or above its basePath', async () => {
  const { ledger } = startStage();
  const options = { ledger, authorize: byHeader };
  const app = express();
  const admin = express.Router();
  admin.use('/emails', nodeHandler(dashboard({ ...options, basePath: '/admin/emails' })));
  admin.use(nodeHandler(dashboard({ ...options, basePath: '/admin/mail' })));
  app.use('/admin', admin);
  const origin = await serve(app);
  for (const path of ['/admin/emails', '/admin/mail']) {
    const { status } = await fetch(origin + path, { headers: { 'x-user': 'ada' } });
    expect([path, status]).toEqual([path, 200]);
  }
  // Express finds a mount without regard to upper and lower case; a path of the dashboard is exact.
  expect((await fetch(`${origin}/ADMIN/Emails`)).status).toBe(404);
});

test.each([
  ['nodeHandler', nodeHandler],
  ['fastifyPlugin', fastifyPlugin],
] as const)('%s refuses the options of a dashboard when it is called', (name, adapter) => {
  const { ledger } = startStage();
  for (const wrong of [{ ledger }, undefined, null, dashboard]) {
    expect(() => adapter(wrong as unknown as Dashboard)).toThrow(
      expect.objectContaining({
        option: 'board',
        message: expect.stringContaining(`${name}(dashboard({ ledger }))`) as string,
      }) as OptionError,
    );
  }
});

test("authorize gets Express's own request, with its user", async () => {
  const { ledger } = startStage();
  const authorize = (_: Request, original: unknown) => {
    const { user } = original as { user?: { login: string } };
    return user && { name: user.login };
  };
  const app = express();
  app.use((req, _, next) => {
    if (req.headers.cookie === 'session=1') Object.assign(req, { user: { login: 'ada' } });
    next();
  });
  app.use(nodeHandler(dashboard({ ledger, authorize })));
  const origin = await serve(app);
  expect((await fetch(origin)).status).toBe(403);
  const known = await fetch(origin, { headers: { cookie: 'session=1' } });
  expect(known.status).toBe(200);
  expect(await known.text()).toContain('<bdi>ada</bdi>');
});

test('without authorize, another machine is refused with any Host header', async () => {
  const { ledger } = startStage();
  const handler = nodeHandler(dashboard({ ledger }));
  // The other end of the connection, as a request from the network has it.
  const origin = await serve((req, res) => {
    Object.defineProperty(req.socket, 'remoteAddress', { value: '10.0.0.7', configurable: true });
    handler(req, res);
  });
  expect((await fetch(origin)).status).toBe(403);
  const local = await serve(nodeHandler(dashboard({ ledger })));
  expect((await fetch(local)).status).toBe(200);
});

/** The same dashboard, and the state of its streams. */
function watch(board: Dashboard) {
  const streams: ('open' | 'cancelled' | 'closed')[] = [];
  const watched: Dashboard = {
    ...board,
    async fetch(request) {
      const response = await board.fetch(request);
      if (!response.headers.get('content-type')?.includes('event-stream') || !response.body)
        return response;
      const index = streams.push('open') - 1;
      const reader = response.body.getReader();
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          // A read that waits while the stream is cancelled ends as well.
          if (streams[index] === 'open') streams[index] = 'closed';
          controller.close();
        },
        async cancel() {
          streams[index] = 'cancelled';
          await reader.cancel();
        },
      });
      return new Response(body, response);
    },
  };
  return { board: watched, streams };
}

async function readUntil(response: Response, wanted: string): Promise<string> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes(wanted)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return text;
}
