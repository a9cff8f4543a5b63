import {
  type Cancelled,
  delayedEmails,
  type EmailStatus,
  type Rescheduled,
  type Scheduled,
} from '@sendonce/bullmq';
import { redisLedger } from '@sendonce/redis';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Compose } from './compose.ts';
import { type Config, RETENTION_MS } from './config.ts';
import { withRedis } from './errors.ts';
import { checkArrival, differences, type Order } from './order.ts';
import { type NoticeId, orderStore } from './order-store.ts';

export const QUEUE = 'notices';

/** The key: one notice per order. `delayedEmails()` and `once()` must use the same one. */
export function noticeKey({ orderId }: NoticeId): string[] {
  return ['delivery-notice', orderId];
}

/** When the notice of a parcel is due: may be past. */
export function dueMs({ arrivesAt }: Pick<Order, 'arrivesAt'>, { noticeBeforeMs }: Config): number {
  return Date.parse(arrivesAt) - noticeBeforeMs;
}

/** What the shop does with its notices. */
export interface Notices {
  /** @throws {NoticeRefused} and nothing is scheduled. @throws {Unavailable} */
  schedule(id: NoticeId, order: Order): Promise<Scheduled>;
  /** @throws {NoticeRefused} and nothing is moved. @throws {Unavailable} */
  move(id: NoticeId, arrivesAt: string): Promise<Rescheduled>;
  /** @throws {Unavailable} */
  cancel(id: NoticeId): Promise<Cancelled>;
  /** @throws {Unavailable} */
  status(id: NoticeId): Promise<EmailStatus>;
  close(): Promise<void>;
}

export function openNotices(config: Config, redis: Redis, compose: Compose): Notices {
  const { namespace } = config;
  const orders = orderStore(redis, namespace);
  const queue = new Queue<NoticeId>(QUEUE, { connection: redis, prefix: namespace });
  queue.on('error', () => {});
  const emails = delayedEmails<NoticeId>(queue, {
    ledger: redisLedger(redis, { prefix: `${namespace}:ledger` }),
    key: noticeKey,
    retentionMs: RETENTION_MS,
    // As the worker will do it: from the order that is stored.
    async check(id) {
      const order = await orders.read(id);
      if (!order) throw new Error('The order of this notice is gone.');
      compose({ ...order, orderId: id.orderId });
    },
    // A mail server may be away for about a night; each job is gone with its email.
    job: {
      attempts: 15,
      backoff: { type: 'exponential', delay: 2_000 },
      removeOnComplete: true,
    },
  });
  const at = (order: Pick<Order, 'arrivesAt'>) =>
    new Date(Math.max(Date.now(), dueMs(order, config)));

  return {
    async schedule(id, order) {
      // Before it is stored: what is refused leaves nothing behind.
      checkArrival(order.arrivesAt);
      compose({ ...order, orderId: id.orderId });
      const standing = await withRedis('Nothing was scheduled.', () => orders.create(id, order));
      const fields = differences(order, standing);
      if (fields.length > 0) return { key: emails.keyOf(id, which(id)), state: 'conflict', fields };
      return withRedis(
        'It is not known whether the notice was scheduled. Send the same request again: it is not scheduled twice.',
        () => emails.schedule(id, { at: at(standing), ...which(id) }),
      );
    },
    move(id, arrivesAt) {
      checkArrival(arrivesAt);
      return withRedis(
        'It is not known whether the notice was moved. Send the same request again.',
        () => moveNotice(id, arrivesAt),
      );
    },
    cancel: (id) =>
      withRedis(
        'It is not known whether the notice was cancelled. Send the same request again.',
        () => emails.cancel(id, { ...which(id), by: 'the API' }),
      ),
    status: (id) => withRedis('Nothing was changed.', () => emails.status(id, which(id))),
    close: () => queue.close(),
  };

  /**
   * The order first, then its alarm clock. A crash between the two is harmless: the worker goes by
   * the order, and an alarm that rings too early is set again.
   */
  async function moveNotice(id: NoticeId, arrivesAt: string): Promise<Rescheduled> {
    const key = emails.keyOf(id, which(id));
    if (!(await orders.move(id, arrivesAt))) return { key, state: 'not-scheduled' };
    let goal = arrivesAt;
    for (;;) {
      const when = at({ arrivesAt: goal });
      const moved = await emails.reschedule(id, { at: when, ...which(id) });
      // Another call may have moved it meanwhile: the job must have the time of the order.
      const now = (await orders.read(id))?.arrivesAt ?? goal;
      if (now === goal) return moved.state === 'too-late' ? orDue(moved, when) : moved;
      goal = now;
    }
  }
}

/** A worker that has not begun will read the new time: not too late. */
function orDue(moved: Extract<Rescheduled, { state: 'too-late' }>, at: Date): Rescheduled {
  const { key, email } = moved;
  return email.state === 'due' ? { key, state: 'rescheduled', at, jobId: email.jobId } : moved;
}

/** Which of the order's notices. */
function which({ occurrence }: NoticeId): { readonly occurrence: NoticeId['occurrence'] } {
  return { occurrence };
}
