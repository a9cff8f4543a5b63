import { Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import { MAILER, type Mailer, type Notice, type Sent, sendNotice } from './mail.ts';

/** Knows nothing of sendonce. */
@Processor('notices', { concurrency: 4 })
export class NoticesProcessor extends WorkerHost {
  constructor(@Inject(MAILER) private readonly mailer: Mailer) {
    super();
  }

  override async process(job: Job<Notice>): Promise<Sent> {
    return sendNotice(this.mailer, job.data);
  }
}
