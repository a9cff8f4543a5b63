import { forLog, StartError } from './errors.ts';

/** In-flight jobs may wait for a slow mail server. */
const CLOSE_MS = 30_000;

// A stack is no help to a person who started the app twice.
process.on('uncaughtException', (error) => {
  console.error(error instanceof StartError ? error.message : forLog(error));
  process.exit(1);
});

/**
 * Ends this process when it is asked to (SIGTERM, SIGINT, or main.ts is gone): what is in flight is
 * finished first. A second signal changes nothing.
 */
export function endGracefully(close: () => Promise<unknown>): void {
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), CLOSE_MS).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(forLog(error));
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('disconnect', end);
}

/** Sends the line to main.ts if it is the parent, and otherwise prints it. */
export function ready(line: string): void {
  if (process.send) process.send(line);
  else console.log(line);
}

/** Says which variable to change. Returns other errors as they are. */
export function explainTakenPort(error: unknown, port: number, variable: string): unknown {
  if (!/EADDRINUSE|in use/.test(String(error))) return error;
  return new StartError(
    `The port ${port} is taken: is the app already running? End it, or set ${variable} to another port.`,
  );
}
