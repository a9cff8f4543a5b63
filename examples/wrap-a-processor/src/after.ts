import { once } from '@sendonce/bullmq';
import { atSend } from '@sendonce/mail';
import { redisLedger } from '@sendonce/redis';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';

interface Notice {
  orderId: string;
  to: string;
}

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  SMTP_URL = 'smtp://127.0.0.1:1025',
  PREFIX: prefix = 'bull',
} = process.env;
const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
const transporter = createTransport(SMTP_URL);
const dispatch = atSend(transporter);
const key = ({ data }: Job<Notice>) => ['delivery-notice', data.orderId, data.to];

async function sendNotice({ data }: Job<Notice>): Promise<{ messageId: string }> {
  const { messageId } = await transporter.sendMail({
    from: 'shop@example.com',
    to: data.to,
    subject: `Your order ${data.orderId} is late`,
    text: 'It left our warehouse a day later than promised.',
  });
  return { messageId };
}

const worker = new Worker(
  'notices', // the queue
  once(sendNotice, { ledger: redisLedger(redis, { prefix }), key, dispatch }),
  { connection: redis, prefix, concurrency: 4 },
);

worker.on('failed', (job, { name }) => console.error(`Job ${job?.id} failed: ${name}`));
process.once('SIGTERM', () => {
  void worker.close().then(() => redis.quit());
});
