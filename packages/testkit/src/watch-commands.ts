import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/**
 * A command as the server tells it; the source is the client's address, or `lua` for what a script
 * ran.
 */
export interface SeenCommand {
  source: string;
  command: string[];
}

export interface CommandWatch {
  /** Resolves when every command that was answered before this call has been reported. */
  readonly caughtUp: () => Promise<void>;
  readonly stop: () => void;
}

/**
 * Reports every command that the server gets from now on, by MONITOR on its own connection. Not by
 * `monitor()` of ioredis, which takes itself for a monitor a moment after the server does, and
 * gives up with "Command queue state error" where the first reported command arrives together with
 * the answer to MONITOR.
 */
export async function watchCommands(
  client: Redis,
  onCommand: (seen: SeenCommand) => void,
): Promise<CommandWatch> {
  const watcher = client.duplicate({ retryStrategy: () => null });
  watcher.on('error', () => {});
  await watcher.ping();
  const { stream } = watcher;
  stream.removeAllListeners('data');
  stream.setEncoding('utf8');
  const markers = new Map<string | undefined, () => void>();
  const tell = (seen: SeenCommand) => {
    const reached = markers.get(seen.command[1]);
    if (reached) reached();
    else onCommand(seen);
  };
  let rest = '';
  await new Promise<void>((resolve, reject) => {
    watcher.once('end', () => reject(new Error('Redis ended the connection that watches it.')));
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === '+OK') resolve();
        else if (line.startsWith('-')) reject(new Error(`Redis refused MONITOR: ${line}`));
        else tell(seenCommand(line));
      }
    });
    stream.write('MONITOR\r\n');
  });
  return {
    async caughtUp() {
      const marker = `caught up ${randomUUID()}`;
      const reported = new Promise<void>((resolve) => markers.set(marker, resolve));
      await client.echo(marker);
      await reported;
    },
    stop: () => watcher.disconnect(),
  };
}

/** `+1795929421.613191 [0 127.0.0.1:47890] "echo" "hello"` */
function seenCommand(line: string): SeenCommand {
  const [, source = ''] = /^\+\S+ \[\d+ ([^\]]+)\]/.exec(line) ?? [];
  const quoted = line.matchAll(/"((?:[^"\\]|\\.)*)"/g);
  return {
    source,
    command: [...quoted].map(([, text = '']) => text.replaceAll(/\\(["\\])/g, '$1')),
  };
}
