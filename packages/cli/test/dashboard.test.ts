import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, freePort } from '@sendonce/testkit';
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
  const { url } = JSON.parse(lines[0]!) as { url: string };
  return { url, port };
}

interface AskOptions {
  readonly path: string;
  readonly host?: string;
  readonly cookie?: string;
  readonly form?: Record<string, string>;
}

/** As a browser would, but for the Host, which fetch() does not let one choose. */
function ask(port: number, { path, host = `127.0.0.1:${port}`, cookie, form }: AskOptions) {
  return new Promise<{ status: number; text: string; location: string; cookie: string }>(
    (resolve, reject) => {
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
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(form && new URLSearchParams(form).toString());
    },
  );
}

describe('sendonce dashboard', () => {
  test('shows, on this machine, and decides nothing', async () => {
    const scene = startScene();
    const { key, token } = await scene.email('in-doubt', 4711);
    const { url, port } = await open(scene.where);
    expect(url).toBe(`http://127.0.0.1:${port}/`);
    const page = await ask(port, { path: '/' });
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('order 4711')]);
    expect((await ask(port, { path: '/', host: 'evil.example' })).status).toBe(403);
    const form = { verdict: 'sent', token, csrf: '' };
    expect((await ask(port, { path: `/email/${key}/resolve`, form })).status).toBe(403);
    expect(await scene.ledger.read(key)).toMatchObject({ state: 'in-doubt' });
  });

  test('--resolve: who has the address decides, under the name that was given, and nobody else', async () => {
    const scene = startScene();
    const { key, token } = await scene.email('in-doubt', 4711);
    const { url, port } = await open(['--resolve', '--by', 'Ann', ...scene.where]);
    expect((await ask(port, { path: '/' })).status).toBe(403);
    expect((await ask(port, { path: '/?key=wrong' })).status).toBe(403);
    const { pathname, search } = new URL(url);
    const admitted = await ask(port, { path: pathname + search });
    expect([admitted.status, admitted.location]).toEqual([303, '/']);
    const { cookie } = admitted;
    expect((await ask(port, { path: '/', cookie, host: 'evil.example' })).status).toBe(403);
    const page = await ask(port, { path: `/email/${key}`, cookie });
    const csrf = /name="csrf" value="([\w-]+)"/.exec(page.text)![1]!;
    const form = { verdict: 'sent', token, csrf, why: 'ticket 17' };
    const decided = await ask(port, { path: `/email/${key}/resolve`, cookie, form });
    expect([decided.status, decided.location]).toEqual([303, expect.stringMatching(/job=no-job/)]);
    expect(await scene.ledger.read(key)).toMatchObject({
      state: 'sent',
      resolvedBy: 'Ann: ticket 17',
    });
    // Who only looked for the job has left nothing in the queue.
    expect(await scene.client.keys(`${scene.prefix}:q*`)).toEqual([]);
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
