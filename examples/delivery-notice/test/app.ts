import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { bundleProgram, eventually, startSmtpServer } from '@sendonce/testkit';

const folder = fileURLToPath(new URL('..', import.meta.url));
const running = new Set<ChildProcess>();

/** Ends what a test that failed has left running. */
export function killRunning(): void {
  for (const child of running) signal(child, 'SIGKILL');
}

export interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves with the address when the API is ready. */
  readonly url: () => Promise<string>;
  /** To all of its processes at once, as a terminal does; resolves when they are gone. */
  readonly end: (how: NodeJS.Signals) => Promise<number | null>;
  /** Resolves with the exit code when its processes are gone. */
  readonly ended: Promise<number | null>;
}

/** Runs a command in a separate process group. */
export function startCommand(
  command: readonly [string, ...string[]],
  { cwd = folder, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Started {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  }
  // 'close': also its children have let go of its output.
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  return {
    child,
    ended,
    output: () => output,
    url: () =>
      eventually(
        () => {
          const url = /http:\/\/[\d.]+:\d+/.exec(output)?.[0];
          if (url === undefined) throw new Error(`not ready:\n${output}`);
          return url;
        },
        { timeoutMs: 60_000 },
      ),
    end: (how) => {
      signal(child, how);
      return ended;
    },
  };
}

function signal({ pid }: ChildProcess, how: NodeJS.Signals): void {
  // A process without a pid would be all of ours.
  if (pid !== undefined) process.kill(-pid, how);
}

/** A part of the app, bundled: it starts five times as fast as through tsx. */
function bundle(name: 'api' | 'worker' | 'servers'): Promise<string> {
  return bundleProgram(new URL(`../src/${name}.ts`, import.meta.url));
}

/** One of the two halves alone. */
export async function startHalf(
  name: 'api' | 'worker',
  env: Record<string, string>,
): Promise<Started> {
  return startCommand([process.execPath, await bundle(name)], { env });
}

let main: Promise<string> | undefined;

/** The app, whose main process starts the bundles of its parts. */
async function bundleMain(): Promise<string> {
  const [api, worker, servers] = await Promise.all([
    bundle('api'),
    bundle('worker'),
    bundle('servers'),
  ]);
  const parts = JSON.stringify({ api, worker, servers });
  const replaced = [
    ['new URL(`./${name}.ts`, import.meta.url)', `(${parts})[name]`],
    ["'servers.ts'", JSON.stringify(servers)],
  ] as const;
  return bundleProgram(new URL('../src/main.ts', import.meta.url), (source, path) => {
    if (!path.endsWith('/src/main.ts')) return source;
    for (const [code] of replaced) expect(source).toContain(code);
    return replaced.reduce((text, [code, other]) => text.replace(code, other), source);
  });
}

/** `pnpm start`, whose own command the test of the README runs. */
export async function startApp(env: Record<string, string>): Promise<Started> {
  main ??= bundleMain();
  return startCommand([process.execPath, await main], { env });
}

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** Asks the API about the notice of an order. */
export async function ask(
  url: string,
  method: 'GET' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
): Promise<Reply> {
  const response = await fetch(`${url}/orders/${path.replace(/^[^?]+/, '$&/notice')}`, {
    method,
    ...(body && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, body: JSON.parse(text) as Record<string, unknown> };
}

/** A mail server, and what it has for whom. */
export async function startMailbox(refused: ReadonlySet<string> = new Set()) {
  const smtp = await startSmtpServer({
    rejectRecipients: (address) => (refused.has(address) ? 550 : undefined),
  });
  const emailsTo = (address: string) => smtp.received.filter(({ to }) => to.includes(address));
  return { smtp, emailsTo, countTo: (address: string) => emailsTo(address).length };
}

/** The text of an email as it is read. */
export function readable(raw: string): string {
  const bytes = raw
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const DAY_MS = 86_400_000;

/** When a parcel arrives whose notice is due in so many ms: a notice leaves a day before. */
export function arrivingFor(dueInMs: number): string {
  return new Date(Date.now() + DAY_MS + dueInMs).toISOString();
}
