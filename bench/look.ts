import { type Ledger } from '@sendonce/core';
import { findEmails, overviewOf, readEmail } from '@sendonce/core/inspect';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { median, startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import { checkMemory, fill } from './fill.ts';
import type { Progress } from './progress.ts';
import { type Look, rounded } from './results.ts';
import { claimOf, claimWon, labelOf } from './sent-email.ts';

const DOUBTS = 100;
const LOOKS = 20;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * How long people wait for an answer beside many settled emails and a hundred in doubt, and for how
 * long one command of it holds up Redis at most: what `sendonce status` and the dashboard ask.
 */
export async function measureLooks({ records }: Arguments, progress: Progress): Promise<Look[]> {
  const count = records[Math.floor((records.length - 1) / 2)]!;
  // A journal takes about three times as much as a ledger.
  checkMemory([count * 4]);
  const server = await startRedis();
  const client = new Redis(server.url, { maxRetriesPerRequest: null });
  try {
    progress.step(`look: a ledger and a journal of ${count}`);
    const form = { texts: 'job', journal: true } as const;
    await fill({ url: server.url, records: count, ...form }, progress);
    const sources = { ledger: redisLedger(client), journal: redisJournal(client) };
    const sent = (await sources.journal.counts(0)).reduce(
      (sum, { counts }) => sum + (counts.sent ?? 0),
      0,
    );
    if (sent !== count) throw new Error(`The journal has ${sent} of ${count} sent emails.`);
    const doubt = await addDoubts(sources);
    const questions = {
      overview: () => overviewOf(sources, { sinceMs: Date.now() - WEEK_MS }),
      'by label': () => findEmails(sources, [labelOf(1)]),
      'by key': () => readEmail(sources, doubt),
    };
    const looks: Look[] = [];
    for (const [question, ask] of Object.entries(questions)) {
      progress.step(`look: ${question}`);
      looks.push({ question, records: count, ...(await measure(client, ask)) });
    }
    return looks;
  } finally {
    client.disconnect();
    await server.stop();
  }
}

async function measure(client: Redis, ask: () => Promise<unknown>) {
  await ask();
  await client.config('SET', 'slowlog-log-slower-than', '0');
  await client.config('SET', 'slowlog-max-len', '100000');
  await client.slowlog('RESET');
  const tookMs: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const startMs = performance.now();
    await ask();
    tookMs.push(performance.now() - startMs);
  }
  await client.config('SET', 'slowlog-log-slower-than', '-1');
  const logged = (await client.slowlog('GET', 100_000)) as [unknown, unknown, number, string[]][];
  const asked = logged.filter(([, , , [command = '']]) => !/^(config|slowlog)$/i.test(command));
  const slow = asked.find(([, , , [command = '']]) => /^(keys|scan)$/i.test(command));
  if (slow) throw new Error(`${slow[3][0]} looks at every key.`);
  return {
    medianMs: rounded(median(tookMs)),
    longestMs: rounded(Math.max(...tookMs)),
    slowestCommandMs: rounded(Math.max(...asked.map(([, , micros]) => micros)) / 1000, 3),
  };
}

/** @returns the key of one of them */
async function addDoubts({ ledger }: { readonly ledger: Ledger }): Promise<string> {
  let key = '';
  for (let jobId = 1; jobId <= DOUBTS; jobId++) {
    const claim = claimOf(jobId, 'job');
    await claimWon(ledger, claim);
    await ledger.settle({ ...claim, outcome: 'in-doubt', note: 'ETIMEDOUT' });
    key = claim.key;
  }
  return key;
}
