import { setTimeout as sleep } from 'node:timers/promises';
import { startWorkerProcess, type WorkerProcess } from '@sendonce/testkit';
import type { FromPeer, PeerPlan, ToPeer } from './messages.ts';

export interface PeerWorker {
  readonly process: WorkerProcess;
  readonly tell: (message: ToPeer) => void;
  /** Resolves when it holds so many emails. */
  readonly holds: (emails: number) => Promise<void>;
  /** Lets it finish what is under way; one that cannot is killed. */
  readonly end: () => Promise<void>;
}

const file = new URL('worker.ts', import.meta.url);
const END_WITHIN_MS = 10_000;

/** Resolves when it takes jobs. */
export async function startPeerWorker(plan: PeerPlan): Promise<PeerWorker> {
  const process = await startWorkerProcess({ file, data: plan });
  const heard: FromPeer['type'][] = [];
  let wake = () => {};
  process.onMessage((message) => {
    heard.push((message as FromPeer).type);
    wake();
  });
  const gone = process.exited.then(() => true);

  async function hears(type: FromPeer['type'], times: number): Promise<void> {
    while (heard.filter((one) => one === type).length < times) {
      const next = new Promise<void>((resolve) => (wake = resolve));
      if (await Promise.race([next, gone])) {
        throw new Error(`The worker has ended:\n${process.output()}`);
      }
    }
  }

  await hears('ready', 1);
  const tell = (message: ToPeer) => process.send(message);
  return {
    process,
    tell,
    holds: (emails) => hears('held', emails),
    async end() {
      tell({ type: 'end' });
      await Promise.race([gone, sleep(END_WITHIN_MS, undefined, { ref: false })]);
      await process.kill();
    },
  };
}
