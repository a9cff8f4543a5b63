import { hostname, userInfo } from 'node:os';
import { atSend } from '@sendonce/mail';
import { redisLedger } from '@sendonce/redis';
import { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';
import { type Answer, answerOf, answerOfError, exitCodes, nothingToResolve } from './answer.ts';
import { type Arguments, parseArguments, usage, UsageError } from './arguments.ts';
import { serverUrl } from './server-url.ts';
import { resolveReport, type Sent, sendReport } from './report.ts';

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  SMTP_URL = 'smtp://127.0.0.1:1025',
  REPORT_TO = 'operations@example.com',
  PREFIX: prefix = 'sendonce',
} = process.env;

try {
  const args = parseArguments(process.argv.slice(2));
  say(await run(args), args);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}`);
  process.exitCode = exitCodes.usage;
}

async function run({ day, waitMs, resolve }: Arguments): Promise<Answer> {
  // A queue would wait for a Redis that is down. This fails within a third of a lease.
  const redisUrl = serverUrl('REDIS_URL', REDIS_URL, 'redis');
  const smtpUrl = serverUrl('SMTP_URL', SMTP_URL, 'smtp');
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 3, retryStrategy: () => 250 });
  // The command that fails because of it reports the error.
  redis.on('error', () => {});
  const transporter = createTransport(smtpUrl);
  const dispatch = atSend(transporter);
  const ledger = redisLedger(redis, { prefix });

  async function send(): Promise<Sent> {
    const { messageId } = await transporter.sendMail({
      from: 'reports@example.com',
      to: REPORT_TO,
      subject: `Report of ${day}`,
      text: 'All parcels have left.',
    });
    return { messageId };
  }

  try {
    if (resolve && !(await resolveReport(ledger, day, resolve, userInfo().username)))
      return nothingToResolve;
    const by = `${hostname()}:${process.pid}`;
    return answerOf(await sendReport({ ledger, day, by, waitMs, dispatch, send }));
  } catch (error) {
    return answerOfError(error);
  } finally {
    transporter.close();
    redis.disconnect();
  }
}

/** Writes to stderr if a person must do something, so that cron can mail only that. */
function say({ exitCode, line, ...rest }: Answer, { day, json }: Arguments): void {
  process.exitCode = exitCode;
  if (json) process.stdout.write(`${JSON.stringify({ day, ...rest, exitCode, says: line })}\n`);
  else (exitCode === 0 ? process.stdout : process.stderr).write(`report of ${day}: ${line}\n`);
}
