import { setTimeout as sleep } from 'node:timers/promises';
import { currentClaim } from '@sendonce/core';
import { dispatchAtSend } from '@sendonce/mail';
import { startWorkerProcess } from '@sendonce/testkit';
import { createTransport } from 'nodemailer';
import type { ProcessorName } from './names.ts';
import type { Stage } from './stage.ts';
import type { Work, Works } from './system.ts';

/** What the jobs do: nothing, so that nothing hides a cost; waiting; or sending a real email. */
export const openProcessor: Record<ProcessorName, (stage: Stage) => Promise<Works>> = {
  noop: async () => dispatching(async () => {}),
  '5ms': async () => dispatching(() => sleep(5)),
  smtp: (stage) => sending(stage, 0),
  'smtp-50ms': (stage) => sending(stage, 50),
};

/** Without an email the processor itself says when it would leave. */
function dispatching(plain: Work): Works {
  return {
    plain,
    atSend: async (job) => {
      await currentClaim()?.dispatch();
      return plain(job);
    },
  };
}

/** `ackDelayMs`: how long the mail server takes to accept an email. */
async function sending({ onEnd }: Stage, ackDelayMs: number): Promise<Works> {
  // In another process, so that it does not use the worker's core.
  const server = await startWorkerProcess({
    file: new URL('./smtp-process.ts', import.meta.url),
    name: 'smtp',
    data: { ackDelayMs },
  });
  onEnd(() => server.close());
  const { data } = await server.waitFor('listening');
  const { host, port } = data as { host: string; port: number };
  const transporter = () => {
    const made = createTransport({ host, port, pool: true });
    onEnd(() => made.close());
    return made;
  };
  const atSend = transporter();
  atSend.use('stream', dispatchAtSend());
  return { plain: sendBy(transporter()), atSend: sendBy(atSend) };
}

function sendBy(transporter: ReturnType<typeof createTransport>): Work {
  return async ({ data }) => {
    const { messageId } = await transporter.sendMail({
      from: 'shop@example.com',
      to: data.to,
      subject: `Your order ${data.orderId} is on its way`,
      text: `Your order ${data.orderId} has left our warehouse and arrives tomorrow.`,
    });
    return { messageId };
  };
}
