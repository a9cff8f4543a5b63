import { BullModule, type WorkerHost } from '@nestjs/bullmq';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import type { Ledger } from '@sendonce/bullmq';
import { dispatchAtSend } from '@sendonce/mail';
import type { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';
import { LEDGER, MAILER, type Mailer } from './mail.ts';

export interface AppConfig {
  readonly redis: Redis;
  /** What all keys of the queues begin with. */
  readonly prefix: string;
  readonly ledger: Ledger;
  readonly smtpUrl: string;
  readonly processor: Type<WorkerHost>;
}

@Module({})
// A module of Nest is always a class.
// oxlint-disable-next-line typescript/no-extraneous-class
export class AppModule {
  static with({ redis, prefix, ledger, smtpUrl, processor }: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        BullModule.forRoot({ connection: redis, prefix }),
        BullModule.registerQueue({ name: 'notices' }),
      ],
      providers: [
        processor,
        { provide: LEDGER, useValue: ledger },
        { provide: MAILER, useFactory: () => createMailer(smtpUrl) },
      ],
    };
  }
}

function createMailer(url: string): Mailer {
  const transporter = createTransport(url);
  // Outside of a claim an email passes as before.
  transporter.use('stream', dispatchAtSend());
  return transporter;
}
