import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished, describe, expect, test } from 'vitest';
import { run, runProcess } from './run.ts';
import { startScene } from './scene.ts';

/**
 * What a terminal obeys or hides: C1 controls, DEL, bidirectional, invisible and tag characters.
 */
const HOSTILE = '\u009B2Jx\u007F\u0085\u202E\u2066\u200B\u00AD\u2028\u{E0041}é日😀';
const obeyed = /[\u007F-\u009F\p{Cf}\u2028\u2029]/u;
// oxlint-disable-next-line no-control-regex
const obeyedInText = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\p{Cf}\u2028\u2029]/u;

async function startHostileScene() {
  const scene = startScene();
  const { key, token } = await scene.email('in-doubt', 1);
  const job = { queue: `notices${HOSTILE}`, id: HOSTILE };
  const step = { key, token, job, label: HOSTILE, note: HOSTILE, worker: HOSTILE, by: HOSTILE };
  scene.journal.write({ ...step, type: 'in-doubt', messageId: HOSTILE, atMs: Date.now() });
  await scene.journal.flush();
  const second = await scene.email('dispatched', 2, { job });
  await scene.ledger.settle({ ...second, outcome: 'in-doubt', note: HOSTILE, messageId: HOSTILE });
  return { ...scene, key };
}

async function startServer(answer: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', () => socket.write(answer));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('what others wrote', () => {
  test.each([
    [['show', 'notice', '1']],
    [['show', 'notice', '2']],
    [['doubts']],
    [['status']],
    [['resolve', 'notice', '1', '--sent', '--yes', '--why', HOSTILE, '--by', HOSTILE]],
  ])('%j: --json escapes it and keeps its value; the text has none of it', async (command) => {
    const scene = await startHostileScene();
    const { out, err } = await run([...command, ...scene.where]);
    expect(out + err).not.toMatch(obeyedInText);
    const json = await run([...command, '--json', ...scene.where]);
    expect(json.out).not.toMatch(obeyed);
    expect(JSON.parse(json.out)).toBeTypeOf('object');
  });

  test('the JSON has the same value as before', async () => {
    const scene = await startHostileScene();
    const { out } = await run(['show', 'notice', '1', '--json', ...scene.where]);
    expect(out).toContain(
      String.raw`\u009b2Jx\u007f\u0085\u202e\u2066\u200b\u00ad\u2028\udb40\udc41é日😀`,
    );
    const { emails } = JSON.parse(out);
    expect(emails[0].history.at(-1)).toMatchObject({ label: HOSTILE, note: HOSTILE });
    const doubts = JSON.parse((await run(['doubts', '--json', ...scene.where])).out);
    expect(doubts.doubts.map(({ note }: { note: string }) => note)).toContain(HOSTILE);
  });

  test('the message of an error that shows a value', async () => {
    const scene = startScene();
    const { code, err } = await run(['status', ...scene.where, '--prefix', `a b ${HOSTILE}`]);
    expect(code).toBe(2);
    expect(err).toMatch(/prefix[^]*日/);
    expect(err).not.toMatch(obeyedInText);
  });

  test('a server that answers everything with an error ends the command', async () => {
    const url = await startServer('-ERR no\r\n');
    const { code, err } = await runProcess(['status', '--redis', url]);
    expect([code, err]).toEqual([3, expect.stringMatching(/does not answer/)]);
  }, 60_000);

  test('a configuration that is explained, and words of the command line', async () => {
    const input = JSON.stringify({ once: { dispatch: HOSTILE }, job: { [HOSTILE]: 1 } });
    for (const argv of [
      ['explain', '-'],
      ['explain', '-', '--json'],
      [HOSTILE],
      ['show', HOSTILE],
    ]) {
      const { out, err } = await run(argv, { input });
      expect(out + err).not.toBe('');
      expect(out + err).not.toMatch(obeyedInText);
    }
  });

  test('an entry of the index that is no key, and a step that no version counts', async () => {
    const scene = await startHostileScene();
    await scene.client.zadd(
      `${scene.prefix}:{${scene.key[0]}}:open`,
      1,
      `${scene.key[0]}${HOSTILE}`,
    );
    const hour = Math.floor(Date.now() / 3_600_000);
    await scene.client.hset(`${scene.prefix}:{counts}:${hour}`, HOSTILE, 3);
    for (const argv of [['status'], ['doubts'], ['doctor'], ['status', '--json']]) {
      const { out, err } = await run([...argv, ...scene.where]);
      expect(out + err).not.toMatch(obeyedInText);
    }
    const stop = new AbortController();
    const watched = await run(['watch', '--every', '0.1', ...scene.where], {
      stopped: stop.signal,
      onOut: () => stop.abort(),
    });
    expect(watched.out).toContain('sending');
    expect(watched.out + watched.err).not.toMatch(obeyedInText);
  });
});
