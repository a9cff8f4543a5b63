/** The part of a BullMQ job that the processors use. */
export interface NoticeJob {
  readonly data: { readonly orderId: number; readonly to: string };
}
