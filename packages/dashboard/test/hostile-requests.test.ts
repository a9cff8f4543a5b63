import { connect } from 'node:http2';
import {
  eventually,
  randomNumbers,
  startWorkerProcess,
  type WorkerProcess,
} from '@sendonce/testkit';
import {
  chooser,
  formatHttp1Request,
  formatHttp2Connection,
  formatHttp2Request,
  http1Request,
  http2Connection,
  type RequestParts,
  isHttp1Answer,
  isHttp2Answer,
  sendBytes,
} from '@sendonce/testkit/hostile';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dashboards } from './fixtures/dashboards.ts';

const SEED = Number(process.env['SENDONCE_FUZZ_SEED'] ?? Date.now() % 1_000_000);
/** For each adapter. */
const ROUNDS = Number(process.env['SENDONCE_FUZZ_ROUNDS'] ?? 3);
const AT_A_TIME = 64;
const admitted: RequestParts['headers'] = [['x-user', 'ada']];

let server: WorkerProcess;
let ports: Dashboards;
beforeAll(async () => {
  server = await startWorkerProcess({ file: new URL('fixtures/dashboards.ts', import.meta.url) });
  await eventually(() => expect(server.messages).toHaveLength(1), { timeoutMs: 30_000 });
  ports = server.messages[0] as Dashboards;
});
afterAll(() => server.close());

const plain = { host: '127.0.0.1', target: '/emails/', headers: admitted, body: '' };

test('each request that ended or misled a process is answered, over HTTP/1', async () => {
  const targets = ['//', '///', '//evil.example/', '/\\', '*', 'http://[/', '//[', '/emails//'];
  for (const [name, port] of Object.entries(ports.http1)) {
    const requests = targets.map((target) =>
      formatHttp1Request({ ...plain, method: 'GET', target }),
    );
    const answers = await Promise.all(
      requests.map((bytes) => sendBytes(port, bytes, { isAnswer: isHttp1Answer, silentMs: 5000 })),
    );
    const silent = targets.filter((_, index) => !answers[index]);
    expect([name, silent]).toEqual([name, []]);
    await expectAnswer(name, port, askHttp1);
  }
});

test('each request that ended or misled a process is answered, over HTTP/2', async () => {
  const methods = ['get', 'Get', 'head', 'Head', 'G T', '"', 'é', 'trace', 'connect'];
  for (const [name, port] of Object.entries(ports.http2)) {
    const requests = methods.map((method) => formatHttp2Request({ ...plain, method }, 1));
    const answers = await Promise.all(
      requests.map((request) =>
        sendBytes(port, formatHttp2Connection([request]), {
          isAnswer: isHttp2Answer,
          silentMs: 5000,
        }),
      ),
    );
    const silent = methods.filter((_, index) => !answers[index]);
    expect([name, silent]).toEqual([name, []]);
    await expectAnswer(name, port, askHttp2);
  }
});

test(
  'no random request ends or hangs a process, or is an unexpected error',
  { timeout: 120_000 },
  async () => {
    const counts: string[] = [];
    for (const [name, port] of Object.entries(ports.http1)) {
      const choose = chooser(randomNumbers(SEED));
      const makeBytes = () => http1Request('/emails', admitted, choose);
      const protocol = { makeBytes, ask: askHttp1, isAnswer: isHttp1Answer };
      counts.push(await bombard(name, port, protocol));
    }
    for (const [name, port] of Object.entries(ports.http2)) {
      const choose = chooser(randomNumbers(SEED));
      const makeBytes = () => http2Connection('/emails', admitted, choose);
      const protocol = { makeBytes, ask: askHttp2, isAnswer: isHttp2Answer };
      counts.push(await bombard(name, port, protocol));
    }
    console.log([`hostile requests, SENDONCE_FUZZ_SEED=${SEED}:`, ...counts].join('\n  '));
    // No warning either: a stranger could fill the log with them.
    expect(server.output()).toBe('');
  },
);

interface Bombardment {
  readonly makeBytes: () => Buffer;
  /** Asks as a browser does. @returns the status */
  readonly ask: (port: number) => Promise<number>;
  readonly isAnswer: (bytes: Buffer) => boolean;
}

/** @returns the counts, as a line */
async function bombard(
  name: string,
  port: number,
  { makeBytes, ask, isAnswer }: Bombardment,
): Promise<string> {
  let answered = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const messages = Array.from({ length: AT_A_TIME }, makeBytes);
    const answers = await Promise.all(
      messages.map((bytes) => sendBytes(port, bytes, { isAnswer, silentMs: 200 })),
    );
    answered += answers.filter(Boolean).length;
    await expectAnswer(`${name}, SENDONCE_FUZZ_SEED=${SEED}, round ${round}`, port, ask);
  }
  const sent = ROUNDS * AT_A_TIME;
  // Otherwise nothing was tried. A request that was cut short has no answer.
  expect([name, answered > sent / 3]).toEqual([name, true]);
  return `${name}: ${sent} sent, ${answered} answered`;
}

/** An ordinary request is answered, so the process is alive and not busy. */
async function expectAnswer(name: string, port: number, ask: Bombardment['ask']): Promise<void> {
  const status = await ask(port).catch((error: unknown) => `${String(error)} ${server.output()}`);
  expect([name, status]).toEqual([name, 200]);
}

async function askHttp1(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/emails/`, {
    headers: { 'x-user': 'ada', connection: 'close' },
    signal: AbortSignal.timeout(10_000),
  });
  expect(await response.text()).toContain('sendonce');
  return response.status;
}

function askHttp2(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.setTimeout(10_000, () => session.destroy(new Error('no answer within 10 s')));
    session.on('error', reject);
    const request = session.request({ ':path': '/emails/', 'x-user': 'ada' });
    request.on('error', reject);
    request.on('response', (headers) => {
      session.destroy();
      resolve(Number(headers[':status']));
    });
  });
}
