import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Servers } from './servers.ts';
import { linesToTry } from './try-it.ts';

const parts: ChildProcess[] = [];
let ending = false;

process.on('SIGTERM', end);
process.on('SIGINT', end);
try {
  const { REDIS_URL, SMTP_URL } = process.env;
  // Apart from our terminal: Ctrl-C must not end Redis before the jobs in flight are finished.
  const servers =
    REDIS_URL && SMTP_URL ? {} : ((await start('servers', { detached: true })) as Servers);
  const env = { ...process.env, ...servers };
  const [url] = await Promise.all([start('api', { env }), start('worker', { env })]);
  console.log(`Ready: ${String(url)}\n\n${linesToTry(String(url))}`);
} catch (error) {
  if (!ending) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
  end();
}

/** Starts a file of this folder in a separate process. Resolves with its first message. */
async function start(
  name: string,
  options: { detached?: boolean; env?: NodeJS.ProcessEnv },
): Promise<unknown> {
  const child = fork(new URL(`./${name}.ts`, import.meta.url), options);
  parts.push(child);
  const exited = once(child, 'exit').then(([code]) => {
    if (!ending) {
      // API and worker need each other: this process ends, and a supervisor restarts it.
      process.exitCode = 1;
      // With this code, the part has said why.
      if (code !== 1) console.error(`${name} has ended.`);
    }
    end();
    throw new Error(`${name} has ended.`);
  });
  exited.catch(() => {});
  const [message] = await Promise.race([once(child, 'message'), exited]);
  return message;
}

/** API and worker finish what they have; only then go the servers that they need. */
function end(): void {
  if (ending) return;
  ending = true;
  void (async () => {
    const [servers, users] = [parts.filter(isServers), parts.filter((part) => !isServers(part))];
    await Promise.all(users.map((part) => stop(part, () => part.kill('SIGTERM'))));
    await Promise.all(servers.map((part) => stop(part, () => part.disconnect())));
  })();
}

function isServers(part: ChildProcess): boolean {
  return part.spawnargs.some((argument) => argument.endsWith('servers.ts'));
}

async function stop(part: ChildProcess, ask: () => void): Promise<void> {
  if (part.exitCode !== null || part.signalCode !== null) return;
  const exited = once(part, 'exit');
  ask();
  await exited;
}
