/**
 * Measures the dashboard with many emails in doubt: its list, its question, and one verdict for as
 * many as it takes at once, step by step as a browser sends them.
 *
 *     npx tsx bench/resolve-many.ts [emails in doubt, default 2000]
 */
import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { dashboard } from '@sendonce/dashboard';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { median, startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';

const count = Number(process.argv[2] ?? 2000);
const AT_ONCE = 250;
const server = await startRedis();
const redis = new Redis(server.url);
try {
  const ledger = redisLedger(redis);
  const journal = redisJournal(redis);
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => addDoubt(from + index)));
  }
  const board = dashboard({ ledger, journal, authorize: () => ({ name: 'a', mayResolve: true }) });
  const ask = async (path: string, body?: URLSearchParams) => {
    const startMs = performance.now();
    const headers = { 'sec-fetch-site': 'same-origin' };
    const init = body ? { method: 'POST', body, headers } : {};
    const text = await (await board.fetch(new Request(`http://a${path}`, init))).text();
    return { text, ms: performance.now() - startMs, sentKb: (body?.toString().length ?? 0) / 1024 };
  };

  const lists = [];
  for (let round = 0; round < 10; round += 1) lists.push((await ask('/doubts?cause=401')).ms);
  const list = readForm((await ask('/doubts?cause=401')).text);
  list.set('choose', 'all');
  const question = await ask('/doubts/confirm', list);
  const form = readForm(question.text);
  const total = form.get('emails')!.split(' ').length;
  form.set('verdict', 'sent');
  form.set('count', String(total));
  let step = await ask('/doubts/resolve', form);
  const steps = [step];
  while (step.text.includes('id="more"')) {
    step = await ask('/doubts/resolve', readForm(step.text));
    steps.push(step);
  }
  const sumMs = steps.reduce((sum, { ms }) => sum + ms, 0);
  const largestKb = Math.max(...steps.map(({ sentKb }) => sentKb));
  console.log(
    `${count} in doubt: list ${median(lists).toFixed(0)} ms, question ${question.ms.toFixed(0)} ms, ` +
      `${total} resolved in ${steps.length} steps, ${(sumMs / 1000).toFixed(1)} s, forms up to ${largestKb.toFixed(0)} KB, ` +
      `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most`,
  );

  async function addDoubt(order: number): Promise<void> {
    const attempt = {
      key: deriveKey(['notice', order]),
      token: createToken(),
      leaseMs: 30_000,
      retentionMs: 24 * 60 * 60 * 1000,
      job: { queue: 'notices', id: `order-${order}` },
    };
    await ledger.claim({ ...attempt, dispatched: true });
    await ledger.settle({ ...attempt, outcome: 'in-doubt', note: '401' });
  }
} finally {
  redis.disconnect();
  await server.stop();
}

/** The hidden fields of the form that is sent by POST. */
function readForm(text: string): URLSearchParams {
  const [, inside = ''] = /<form[^>]*method="post"[^>]*>([^]*?)<\/form>/.exec(text) ?? [];
  const form = new URLSearchParams();
  for (const [input] of inside.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const [, name = ''] = /\sname="([^"]*)"/.exec(input) ?? [];
    form.append(name, /\svalue="([^"]*)"/.exec(input)?.[1] ?? '');
  }
  return form;
}
