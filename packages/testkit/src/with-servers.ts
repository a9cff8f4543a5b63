import { setTimeout as sleep } from 'node:timers/promises';
import { deleteNamespace, namespace } from './namespace.ts';
import { findRedis } from './redis-server.ts';
import { type SmtpServer, startSmtpServer } from './smtp-server.ts';

export interface Servers {
  readonly redisUrl: string;
  /** What all keys of this run begin with. */
  readonly prefix: string;
  /** Counts what it accepts. */
  readonly smtp: SmtpServer;
  /** Runs the step at the end, the last one first. */
  readonly onEnd: (step: () => Promise<unknown>) => void;
}

type Step = () => Promise<unknown>;

/** A real Redis and a real mail server for one run. Leaves nothing behind, also after Ctrl-C. */
export async function withServers(
  name: string,
  run: (servers: Servers) => Promise<void>,
): Promise<void> {
  const steps: Step[] = [];
  const servers: Step[] = [];
  const { interrupted, ignore } = interruption();
  const running = serve(name, { steps, servers }, run);
  try {
    await Promise.race([running, interrupted]);
  } finally {
    await undo(steps);
    // What was interrupted may still write, and would leave it behind.
    await Promise.race([running.catch(() => {}), sleep(3000, undefined, { ref: false })]);
    await undo(servers);
    ignore();
  }
}

async function undo(steps: Step[]): Promise<void> {
  // A step that fails must not keep the others from being done.
  const clean = async (step: Step) => step().catch((error: unknown) => console.error(error));
  while (steps.length > 0) await clean(steps.pop()!);
}

async function serve(
  name: string,
  { steps, servers }: { steps: Step[]; servers: Step[] },
  run: (servers: Servers) => Promise<void>,
): Promise<void> {
  const { url, how, stop } = await findRedis();
  servers.push(stop);
  console.log(`Redis: ${how}`);
  const prefix = namespace(name);
  servers.push(() => deleteNamespace(url, prefix));
  const smtp = await startSmtpServer();
  servers.push(smtp.close);
  await run({ redisUrl: url, prefix, smtp, onEnd: (step) => void steps.push(step) });
}

/** Rejects at the first signal; the next ones do not cut the clean-up short. */
function interruption(): { interrupted: Promise<never>; ignore: () => void } {
  const signals = { SIGINT: 130, SIGTERM: 143 } as const;
  let reject: (error: Error) => void = () => {};
  const interrupted = new Promise<never>((_resolve, fail) => (reject = fail));
  // Whether anybody listens to it or not.
  interrupted.catch(() => {});
  let code = 0;
  const onSignal = (signal: keyof typeof signals) => {
    code = signals[signal];
    reject(new Error(`Ended by ${signal}; nothing is left behind.`));
  };
  for (const signal of Object.keys(signals)) process.on(signal, onSignal);
  const ignore = () => {
    for (const signal of Object.keys(signals)) process.off(signal, onSignal);
    // What was interrupted may still be running, without servers.
    if (code > 0) process.exit(code);
  };
  return { interrupted, ignore };
}
