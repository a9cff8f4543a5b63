import { Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { type Ledger, Once } from '@sendonce/bullmq';
import type { Job } from 'bullmq';
import { LEDGER, MAILER, type Mailer, type Notice, type Sent, sendNotice } from './mail.ts';

@Processor('notices', { concurrency: 4 })
export class OnceNoticesProcessor extends WorkerHost {
  constructor(
    @Inject(LEDGER) readonly ledger: Ledger,
    @Inject(MAILER) private readonly mailer: Mailer,
  ) {
    super();
  }

  @Once((self: OnceNoticesProcessor) => ({
    ledger: self.ledger,
    key: ({ data }: Job<Notice>) => ['delivery-notice', data.orderId, data.to],
    dispatch: 'at-send',
  }))
  override async process(job: Job<Notice>): Promise<Sent> {
    return sendNotice(this.mailer, job.data);
  }
}
