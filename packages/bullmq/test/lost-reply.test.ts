import { currentClaim, deriveKey, NotSentError } from '@sendonce/core';
import { startTcpProxy } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { describe, expect, test } from 'vitest';
import * as lua from '../../redis/src/generated/scripts.ts';
import { once, type OnceOptions } from '../src/index.ts';
import { type BullMQ, type Job, onBothVersions, startStage } from './stage.ts';

const select = (job: Job) => ['notice', job.data.order];
const key = deriveKey(['notice', 7]);

const everyVerb = ['claim', 'dispatch', 'settle', 'release'] as const;
type Verb = (typeof everyVerb)[number];

const clients: [string, object][] = [
  ['sends the command again', { retryStrategy: () => 5 }],
  [
    'gives the command up',
    { retryStrategy: () => 5, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
  ],
];

/**
 * One job, while the server executes `verb` and its reply never arrives: the connection is cut
 * between the two. The first attempt throws "not sent" where the verb is a release.
 */
async function sendWithout(
  bullmq: BullMQ,
  verb: Verb,
  dispatch: NonNullable<OnceOptions<Job>['dispatch']>,
  redisOptions: object,
) {
  const stage = startStage(bullmq);
  const proxy = await startTcpProxy({ url: redisUrl() });
  stage.onEnd(proxy.close);
  const ownConnectionOnly = stage.ledgerOn(stage.client(proxy.url, redisOptions));
  delete ownConnectionOnly.settleVia;
  const sent: string[] = [];
  let failing = verb === 'release';
  const processor = once(
    async (job: Job) => {
      if (failing && job.data.order === 7) {
        failing = false;
        throw new NotSentError('no template yet');
      }
      await currentClaim()!.dispatch();
      sent.push(job.data.order);
      return 'the original';
    },
    // It settles on the ledger's own connection, which is the one that is cut.
    { ledger: ownConnectionOnly, key: select, dispatch },
  );
  stage.worker(processor);
  // The server learns all scripts first: a lost NOSCRIPT would be no lost reply.
  for (const script of Object.values(lua)) await stage.redis.script('LOAD', script);
  await stage.ended(await stage.queue().add('notice', { order: 1 }));

  const cut = proxy.cutAfterRequest(`\r\n${verb}\r\n`);
  const options = { attempts: 3, backoff: { type: 'fixed', delay: 30 } };
  const job = await stage.ended(await stage.queue().add('notice', { order: 7 }, options));
  await cut.struck;
  return { job, sent, record: await stage.ledger.read(key), counters: processor.counters };
}

onBothVersions((bullmq) => {
  describe.each(['before-processor', 'at-send'] as const)('%s', (dispatch) => {
    const verbs = everyVerb.filter(
      // One step takes the claim and dispatches it.
      (verb) => verb !== 'dispatch' || dispatch === 'at-send',
    );
    describe.each(verbs)('the reply to %s is lost', (verb) => {
      test.each(clients)(
        'and the client %s: one email, one completed job',
        async (_name, options) => {
          const { job, sent, record, counters } = await sendWithout(
            bullmq,
            verb,
            dispatch,
            options,
          );
          expect(sent).toEqual([1, 7]);
          expect(job).toMatchObject({ state: 'completed', returnvalue: 'the original' });
          expect(record).toMatchObject({ state: 'sent' });
          expect(counters).toMatchObject({ sent: 2, busy: 0, 'in-doubt': 0 });
        },
      );
    });
  });
});
