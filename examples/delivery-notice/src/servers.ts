import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RedisProcess, startRedis, startSmtpServer } from '@sendonce/testkit';
import { endGracefully, explainTakenPort } from './part.ts';

/** The addresses of what was started here: of what no variable named. */
export interface Servers {
  readonly REDIS_URL?: string;
  readonly SMTP_URL?: string;
}

const { REDIS_URL, SMTP_URL, DATA_DIR, EMBEDDED_REDIS_PORT = '6390' } = process.env;
const closers: (() => Promise<void>)[] = [];

const found: Servers = {
  ...(!REDIS_URL && { REDIS_URL: await embeddedRedis() }),
  ...(!SMTP_URL && { SMTP_URL: await embeddedSmtp() }),
};
// main.ts owns this process: when main.ts ends, for any reason, this process ends as well.
endGracefully(() => Promise.all(closers.map((close) => close())));
process.send?.(found);

/** A Redis that writes each command to disk before it answers, into a folder that stays. */
async function embeddedRedis(): Promise<string> {
  const folder = DATA_DIR || fileURLToPath(new URL('../.data', import.meta.url));
  await mkdir(folder, { recursive: true });
  const redis = await startWhenFree({
    // Always the same one: two servers in one folder would spoil it.
    port: Number(EMBEDDED_REDIS_PORT),
    appendOnly: true,
    args: ['--dir', folder, '--appendfsync', 'always'],
  });
  closers.push(redis.stop);
  console.log(`Redis: ${redis.how}, its data in ${folder}`);
  return redis.url;
}

/** The one of the run before may need a moment to end. */
async function startWhenFree(options: Parameters<typeof startRedis>[0]): Promise<RedisProcess> {
  for (let tried = 0; ; tried += 1) {
    try {
      return await startRedis(options);
    } catch (error) {
      if (tried >= 50 || !String(error).includes('in use')) {
        throw explainTakenPort(error, options?.port ?? 0, 'EMBEDDED_REDIS_PORT and DATA_DIR');
      }
      await sleep(100);
    }
  }
}

/** Accepts every email and prints how many there were, but nothing of their content. */
async function embeddedSmtp(): Promise<string> {
  const smtp = await startSmtpServer();
  closers.push(smtp.close);
  smtp.onEmail(() => console.log(`An email arrived (${smtp.received.length} so far).`));
  return smtp.url;
}
