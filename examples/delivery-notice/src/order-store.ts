import type { Redis } from 'ioredis';
import { RETENTION_MS } from './config.ts';
import type { Order } from './order.ts';

/** Which notice: that of an order, or another one of it that was asked for on purpose. */
export interface NoticeId {
  readonly orderId: string;
  readonly occurrence?: string | undefined;
}

/**
 * Stores the order of each notice, and with it all data of the email. A shop has a table for it.
 */
export interface OrderStore {
  /** Stores the order unless the notice has one. Returns the stored order. */
  create(id: NoticeId, order: Order): Promise<Order>;
  read(id: NoticeId): Promise<Order | undefined>;
  /** The parcel arrives at another time. False when the notice has no order. */
  move(id: NoticeId, arrivesAt: string): Promise<boolean>;
}

export function orderStore(redis: Redis, namespace: string): OrderStore {
  const keyOf = ({ orderId, occurrence }: NoticeId) =>
    [namespace, 'order', orderId, ...(occurrence === undefined ? [] : [occurrence])].join(':');

  async function read(id: NoticeId): Promise<Order | undefined> {
    const row = await redis.get(keyOf(id));
    return row === null ? undefined : (JSON.parse(row) as Order);
  }

  return {
    read,
    async create(id, order) {
      // One command, so that of 32 at once the first decides for all.
      const row = JSON.stringify(order);
      if (await redis.set(keyOf(id), row, 'PX', livesMs(order), 'NX')) return order;
      // It has run out between the two.
      return (await read(id)) ?? this.create(id, order);
    },
    async move(id, arrivesAt) {
      const order = await read(id);
      if (!order) return false;
      const moved = { ...order, arrivesAt };
      const row = JSON.stringify(moved);
      return (await redis.set(keyOf(id), row, 'PX', livesMs(moved), 'XX')) !== null;
    },
  };
}

/** As long as the ledger remembers its email: an address is not kept for ever. */
function livesMs({ arrivesAt }: Order): number {
  return Math.max(0, Date.parse(arrivesAt) - Date.now()) + RETENTION_MS;
}
