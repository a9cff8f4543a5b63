import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { delayedEmails } from '../src/index.ts';
import { onBothVersions, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
  readonly to: string;
}

onBothVersions((bullmq) => {
  test('an error of schedule() shows no data of the job, although the client keeps the command in its own', async () => {
    const stage = startStage(bullmq);
    const queue = stage.queue();
    const emails = delayedEmails<Notice>(queue, {
      ledger: stage.ledger,
      key: ({ order }) => ['notice', order],
    });
    await queue.waitUntilReady();
    await stage.redis.set(`${stage.prefix}:q:delayed`, 'not a ZSET');
    const failed = emails.schedule({ order: 7, to: 'ada@example.org' }, { delay: 60_000 });
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SENDONCE_SCHEDULE', mayHaveLeft: 'maybe' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('ada');
    expect(inspect(error)).toContain('WRONGTYPE');
  });
});
