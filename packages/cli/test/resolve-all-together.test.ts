import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { dashboard } from '@sendonce/dashboard';
import { expect, test } from 'vitest';
import { run } from './run.ts';
import { startScene } from './scene.ts';

const COUNT = 500;

test('two people with opposite verdicts at once: each email has one of them', async () => {
  const { ledger, journal, where } = startScene();
  const attempts = Array.from({ length: COUNT }, (_, order) => ({
    key: deriveKey(['notice', order]),
    token: createToken(),
    leaseMs: 30_000,
    retentionMs: 600_000,
  }));
  await Promise.all(
    attempts.map(async (attempt) => {
      await ledger.claim({ ...attempt, dispatched: true });
      await ledger.settle({ ...attempt, outcome: 'in-doubt', note: '401' });
    }),
  );
  const grace = startBoard({ ledger, journal });
  const form = await grace.choose();

  // All begin at the moment that the first one has confirmed the number. The senders of the last
  // ten find out that their emails were sent.
  const ended = attempts.slice(-10);
  let others: Promise<[{ readonly resolved: number }, ...unknown[]]> | undefined;
  const words = ['resolve', '--all', '--sent', '--by', 'ada', '--json', ...where];
  const cli = await run(words, {
    async answer() {
      others = Promise.all([
        grace.record(form),
        ...ended.map((attempt) => ledger.settle({ ...attempt, outcome: 'sent' })),
      ]);
      return String(COUNT);
    },
  });
  const [board] = await others!;

  await journal.flush();
  const sentByAda = JSON.parse(cli.out).resolved as number;
  const notSentByGrace = board.resolved;
  let [ofAda, ofGrace, ofSenders] = [0, 0, 0];
  for (const { key } of attempts) {
    const record = await ledger.read(key);
    const verdicts = (await journal.history(key)).filter(({ type }) =>
      type.startsWith('resolved-'),
    );
    // The sender's own outcome replaces a verdict, which the history still tells.
    const isSender = record !== undefined && record.resolvedBy === undefined;
    if (isSender) ofSenders += 1;
    expect(verdicts.length).toBeLessThanOrEqual(1);
    if (!isSender) expect(verdicts).toHaveLength(1);
    const [verdict] = verdicts;
    if (verdict?.by === 'ada') ofAda += 1;
    if (verdict?.by === 'grace') ofGrace += 1;
    if (!isSender) expect(record === undefined).toBe(verdict?.by === 'grace');
  }
  expect([ofAda, ofGrace]).toEqual([sentByAda, notSentByGrace]);
  expect(sentByAda).toBeGreaterThan(0);
  expect(notSentByGrace).toBeGreaterThan(0);
  expect(ofSenders).toBeGreaterThanOrEqual(ended.length);
  expect((await run(['doubts', ...where])).code).not.toBe(1);
});

/** The dashboard of another person, over its forms. */
function startBoard(sources: Pick<ReturnType<typeof startScene>, 'ledger' | 'journal'>) {
  const board = dashboard({ ...sources, authorize: () => ({ name: 'grace', mayResolve: true }) });
  const post = async (path: string, body?: URLSearchParams) => {
    const method = body ? 'POST' : 'GET';
    const headers = { 'sec-fetch-site': 'same-origin' };
    const request = new Request(`http://shop.example${path}`, {
      method,
      headers,
      ...(body && { body }),
    });
    return (await board.fetch(request)).text();
  };
  return {
    async choose() {
      const list = readForm(await post('/doubts'), '/doubts/confirm');
      list.set('choose', 'all');
      const form = readForm(await post('/doubts/confirm', list), '/doubts/resolve');
      form.set('verdict', 'not-sent');
      form.set('count', String(COUNT));
      return form;
    },
    async record(form: URLSearchParams) {
      let text = await post('/doubts/resolve', form);
      while (text.includes('id="more"')) {
        text = await post('/doubts/resolve', readForm(text, '/doubts/resolve'));
      }
      const [, resolved = ''] = /<li>\s*([\d,]+) resolved as not sent/.exec(text) ?? [];
      return { resolved: Number(resolved.replaceAll(',', '')) };
    },
  };
}

function readForm(text: string, action: string): URLSearchParams {
  const [, inside = ''] =
    new RegExp(`<form[^>]*action="${action}"[^>]*>([^]*?)</form>`).exec(text) ?? [];
  const form = new URLSearchParams();
  for (const [input] of inside.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const [, name = ''] = /\sname="([^"]*)"/.exec(input) ?? [];
    const [, value = ''] = /\svalue="([^"]*)"/.exec(input) ?? [];
    form.append(name, value);
  }
  return form;
}
