import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, freePort, randomNumbers, startWorkerProcess } from '@sendonce/testkit';
import {
  chooser,
  formatHttp1Request,
  http1Request,
  isHttp1Answer,
  sendBytes,
} from '@sendonce/testkit/hostile';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from './run.ts';
import { startScene } from './scene.ts';

/** Runs the command until the test ends; what it printed first is the address. */
async function open(argv: readonly string[]) {
  const stop = new AbortController();
  const port = await freePort();
  const lines: string[] = [];
  const command = ['dashboard', '--port', String(port), '--json', ...argv];
  const ended = run(command, { stopped: stop.signal, onOut: (text) => lines.push(text) });
  onTestFinished(async () => {
    stop.abort();
    expect((await ended).code).toBe(0);
  });
  await eventually(() => expect(lines).toHaveLength(1));
  const printed = JSON.parse(lines[0]!) as { url: string };
  return { url: printed.url, printed, port };
}

interface AskOptions {
  readonly path: string;
  readonly host?: string;
  readonly cookie?: string;
  readonly form?: Record<string, string>;
}

/** As a browser would, but for the Host, which fetch() does not let one choose. */
function ask(port: number, { path, host = `127.0.0.1:${port}`, cookie, form }: AskOptions) {
  return new Promise<{
    status: number;
    text: string;
    location: string;
    cookie: string;
    cookiePath: string;
  }>((resolve, reject) => {
    const headers = {
      host,
      ...(cookie && { cookie }),
      ...(form && {
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
      }),
    };
    const method = form ? 'POST' : 'GET';
    const sent = request(
      { port, host: '127.0.0.1', path, method, headers, agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            text,
            location: response.headers.location ?? '',
            cookie: response.headers['set-cookie']?.[0]?.split(';')[0] ?? '',
            cookiePath: /Path=([^;]*)/.exec(response.headers['set-cookie']?.[0] ?? '')?.[1] ?? '',
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(form && new URLSearchParams(form).toString());
  });
}

/**
 * Opens the printed address as a browser does. @returns the cookie, and the path of the dashboard
 */
async function enter({ url, port }: { readonly url: string; readonly port: number }) {
  const { pathname, search } = new URL(url);
  const admitted = await ask(port, { path: pathname + search });
  expect([admitted.status, admitted.location]).toEqual([303, pathname]);
  return { base: pathname, cookie: admitted.cookie, cookiePath: admitted.cookiePath };
}

describe('sendonce dashboard', () => {
  test('shows, to the one who has the address, and decides nothing', async () => {
    const scene = startScene();
    const { key, token } = await scene.email('in-doubt', 4711);
    const opened = await open(scene.where);
    const { port } = opened;
    expect(opened.url).toMatch(
      new RegExp(`^http://127\\.0\\.0\\.1:${port}/[\\w-]{16,}/\\?key=[\\w-]{32,}$`),
    );
    const { base, cookie } = await enter(opened);
    const page = await ask(port, { path: base, cookie });
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('order 4711')]);
    // Other users of this machine reach the port, and do not have the key.
    const denied = await ask(port, { path: base });
    expect([denied.status, denied.text]).toEqual([
      403,
      expect.stringMatching(/Open the whole URL/),
    ]);
    expect(denied.text).not.toMatch(/authorize|order 4711/);
    expect((await ask(port, { path: '/' })).status).toBe(404);
    expect((await ask(port, { path: base, cookie, host: 'evil.example' })).status).toBe(403);
    const form = { verdict: 'sent', token, csrf: '' };
    const path = `${base}email/${key}/resolve`;
    expect((await ask(port, { path, cookie, form })).status).toBe(403);
    expect(await scene.ledger.read(key)).toMatchObject({ state: 'in-doubt' });
  });

  test('--resolve: a person with the address decides, under the name that was given', async () => {
    const scene = startScene();
    const { key, token } = await scene.email('in-doubt', 4711);
    const opened = await open(['--resolve', '--by', 'Ann', ...scene.where]);
    const { port } = opened;
    const { base, cookie } = await enter(opened);
    expect((await ask(port, { path: base })).status).toBe(403);
    expect((await ask(port, { path: `${base}?key=wrong` })).status).toBe(403);
    expect((await ask(port, { path: base, cookie, host: 'evil.example' })).status).toBe(403);
    const page = await ask(port, { path: `${base}email/${key}`, cookie });
    const csrf = /name="csrf" value="([\w-]+)"/.exec(page.text)![1]!;
    const form = { verdict: 'sent', token, csrf, why: 'ticket 17', confirmed: 'yes' };
    const decided = await ask(port, { path: `${base}email/${key}/resolve`, cookie, form });
    expect([decided.status, decided.location]).toEqual([303, expect.stringMatching(/job=no-job/)]);
    expect(await scene.ledger.read(key)).toMatchObject({
      state: 'sent',
      resolvedBy: 'Ann: ticket 17',
    });
    // A command that only looked for the job has left nothing in the queue.
    expect(await scene.client.keys(`${scene.prefix}:q*`)).toEqual([]);
  });

  test('a place where nothing is known: the command and the page say so', async () => {
    const scene = startScene();
    const opened = await open(scene.where);
    expect(opened.printed).toMatchObject({
      nothingKnown: { location: expect.stringContaining(scene.prefix) as unknown },
    });
    const { base, cookie } = await enter(opened);
    const page = await ask(opened.port, { path: base, cookie });
    expect(page.text.replaceAll(/\s+/g, ' ')).toContain('Nothing is known here: no email is open');
    await scene.email('sent', 1);
    expect((await ask(opened.port, { path: base, cookie })).text).not.toContain('Nothing is known');
  });

  test('two dashboards have different paths, so neither gets the cookie of the other', async () => {
    const scene = startScene();
    const [one, other] = [await open(scene.where), await open(scene.where)];
    const [first, second] = [await enter(one), await enter(other)];
    expect(first.base).not.toBe(second.base);
    // A browser keeps cookies by name and path, for all ports of a host.
    for (const { base, cookiePath } of [first, second]) expect(cookiePath).toBe(base.slice(0, -1));
    expect((await ask(one.port, { path: first.base, cookie: first.cookie })).status).toBe(200);
    expect((await ask(other.port, { path: second.base, cookie: second.cookie })).status).toBe(200);
    expect((await ask(other.port, { path: second.base, cookie: first.cookie })).status).toBe(403);
  });

  test('a path of a stranger is never where the key leads', async () => {
    const scene = startScene();
    const opened = await open(scene.where);
    const { search } = new URL(opened.url);
    for (const path of ['//evil.example/', '/.//evil.example/', '/\\evil.example/', '//', '/x']) {
      const answered = await ask(opened.port, { path: path + search });
      expect([path, answered.status, answered.location]).toEqual([path, 404, '']);
      expect(answered.cookie).toBe('');
    }
  });

  test('no hostile request ends it', { timeout: 60_000 }, async () => {
    const scene = startScene();
    const command = await startWorkerProcess({
      file: new URL('../src/main.ts', import.meta.url),
      args: ['dashboard', '--json', '--resolve', ...scene.where],
      env: { NODE_OPTIONS: '--disable-warning=SENDONCE_DOCTOR' },
    });
    onTestFinished(async () => void (await command.close()));
    await eventually(() => expect(command.output()).toContain('"url"'), { timeoutMs: 20_000 });
    const printed = command.output();
    const { url } = JSON.parse(printed) as { url: string };
    const port = Number(new URL(url).port);
    const { base, cookie } = await enter({ url, port });
    const seed = Date.now() % 1_000_000;
    const choose = chooser(randomNumbers(seed));
    const parts = { method: 'GET', host: 'x', headers: [], body: '' };
    const requests = [
      ...['//', '//[', '///?key=x'].map((target) => formatHttp1Request({ ...parts, target })),
      ...Array.from({ length: 300 }, () =>
        http1Request(base.slice(0, -1), [['cookie', cookie]], choose),
      ),
    ];
    const answers = await Promise.all(
      requests.map((bytes) => sendBytes(port, bytes, { isAnswer: isHttp1Answer, silentMs: 1000 })),
    );
    const answered = answers.filter(Boolean).length;
    console.log(`hostile requests, seed ${seed}: ${requests.length} sent, ${answered} answered`);
    expect(answered).toBeGreaterThan(requests.length / 3);
    expect((await ask(port, { path: base, cookie })).status).toBe(200);
    expect(command.output()).toBe(printed);
  });

  test('a port that is taken is a clear line', async () => {
    const scene = startScene();
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await eventually(() => expect(other.listening).toBe(true));
    const { port } = other.address() as AddressInfo;
    const { code, err } = await run(['dashboard', '--port', String(port), ...scene.where]);
    expect(code).toBe(3);
    expect(err).toMatch(/cannot be used \(EADDRINUSE\)/);
  });

  test.each(['x', '65536', '-1'])('--port %s is a wrong command line', async (port) => {
    expect((await run(['dashboard', `--port=${port}`])).code).toBe(2);
  });
});
