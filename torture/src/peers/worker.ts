import { onParentMessage, workerData } from '@sendonce/testkit/points';
import { aroundSend } from '../systems/around-send.ts';
import { systems } from '../systems/index.ts';
import { connect } from '../systems/open-ledger.ts';
import { noticeProcessor, openTransporters } from '../worker/notice.ts';
import { say } from '../worker/tell.ts';
import { block, workOn } from '../worker/work-on.ts';
import type { FromPeer, Hold, PeerPlan, ToPeer } from './messages.ts';

const plan = workerData() as PeerPlan;
let endHold = () => {};
const holdIsOver = new Promise<void>((resolve) => (endHold = resolve));

// A pooled connection that is cut may reject a promise that no code awaits; the attempt has its own
// error.
process.on('unhandledRejection', () => {});

start().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

async function start(): Promise<void> {
  const transporters = openTransporters(plan);
  const transporter = transporters['at-send'];
  // The first step of nodemailer's own sendMail(): inside everything that a system puts around it.
  transporter.use('compile', (_mail, done) => void beforeTheSend(done));
  const { processor, close } = await systems[plan.system].open({
    plan,
    processor: noticeProcessor(plan, transporters),
    transporters,
    tell: () => {},
  });
  aroundSend(transporter, (send) => async (mail) => {
    const sent = await send(mail);
    await hold('after the send');
    return sent;
  });
  const worker = workOn(plan, processor, {
    connection: connect(plan.queue.url),
    // Shorter by as much as the rest: a stopped worker consumes the notification of a job that
    // waits again, and the other workers poll after this time.
    drainDelay: 0.25,
  });

  onParentMessage((message) => {
    const request = message as ToPeer;
    switch (request.type) {
      case 'end hold':
        return endHold();
      case 'block':
        return block(request.forMs);
      case 'close':
        return void worker.close(true);
      case 'end':
        return void worker
          .close()
          .then(close)
          .finally(() => process.exit());
    }
  });
  await worker.waitUntilReady();
  say<FromPeer>({ type: 'ready' });
}

async function beforeTheSend(done: () => void): Promise<void> {
  await hold('before the send');
  done();
}

async function hold(where: Hold): Promise<void> {
  if (plan.holds !== where) return;
  say<FromPeer>({ type: 'held' });
  await holdIsOver;
}
