import { deriveKey, type RecordState } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { describe, expect, test } from 'vitest';
import { run, widest } from './run.ts';
import { startScene } from './scene.ts';

const states: readonly [RecordState, RegExp][] = [
  ['claimed', /^claimed: .*nothing has been sent yet$/m],
  ['dispatched', /^dispatched: it is being sent now$/m],
  ['in-doubt', /^in doubt: .*it is unknown whether it was sent \(ETIMEDOUT\)$/m],
  ['sent', /^sent$/m],
  ['rejected', /^rejected permanently .*\(552\)$/m],
  ['cancelled', /^cancelled: it will not be sent$/m],
];

describe('sendonce show', () => {
  test.each(states)('an email that is %s', async (state, words) => {
    const scene = startScene();
    const { key } = await scene.email(state, 4711);
    const { code, out } = await run(['show', 'notice', '4711', ...scene.where]);
    expect(code).toBe(0);
    expect(out).toMatch(words);
    expect(out).toContain('order 4711');
    expect(out).toContain(key);
    expect(out).toContain('web-1:4242');
    // An email in doubt comes with the command that resolves it.
    expect(out.includes(`sendonce resolve ${key} --sent\n`)).toBe(state === 'in-doubt');
    const json = await run(['show', 'notice', '4711', '--json', ...scene.where]);
    expect(JSON.parse(json.out)).toMatchObject({ emails: [{ key, record: { state } }] });
  });

  test('one that was resolved as not sent has no record any more, and a history that says who and why', async () => {
    const scene = startScene();
    await scene.email('in-doubt', 4711);
    const why = ['--why', 'not in the mail log', '--by', 'Ann', '--yes'];
    await run(['resolve', 'notice', '4711', '--not-sent', ...why, ...scene.where]);
    const { code, out } = await run(['show', 'notice', '4711', ...scene.where]);
    expect(code).toBe(0);
    expect(out).toMatch(/^resolved as not sent by Ann/m);
    expect(out).toMatch(/resolved-not-sent .*Ann .*not in the mail log$/m);
  });

  test('one that was resolved as sent says by whom, why it was in doubt, and for which job', async () => {
    const scene = startScene();
    const { key } = await scene.email('in-doubt', 4711);
    const about = ['--sent', '--why', 'ticket 17', '--by', 'Ann', '--yes'];
    await run(['resolve', 'notice', '4711', ...about, ...scene.where]);
    const { out } = await run(['show', 'notice', '4711', ...scene.where]);
    expect(out).toMatch(/^sent \(resolved by Ann: ticket 17\)$/m);
    expect(out).toMatch(/^ {2}by {10}notices:4711$/m);
    expect(out).toMatch(/^ {2}doubt {7}ETIMEDOUT$/m);
    const json = JSON.parse((await run(['show', key, '--json', ...scene.where])).out);
    const job = { queue: 'notices', id: '4711' };
    expect(json.emails[0].record).toMatchObject({
      job,
      resolvedBy: 'Ann: ticket 17',
      note: 'ETIMEDOUT',
    });
    expect(json.emails[0].history[0]).toMatchObject({ type: 'claimed', job });
  });

  test('a doubt whose sender found out that nothing was sent says so, and what happens next', async () => {
    const scene = startScene();
    const attempt = await scene.email('dispatched', 4711);
    const doubt = { outcome: 'in-doubt', note: 'ECONNREFUSED', lateNotSent: true } as const;
    await scene.ledger.settle({ ...attempt, ...doubt });
    const { out } = await run(['show', 'notice', '4711', ...scene.where]);
    expect(out).toMatch(
      /^in doubt, but not sent: [^]* nothing\s+was\s+sent;\s+the\s+next\s+attempt\s+sends\s+it\s+\(ECONNREFUSED\)$/m,
    );
    const listed = await run(['doubts', ...scene.where]);
    expect(listed.out).toMatch(/notices:4711 .*not sent; the next attempt sends it/);
    const json = JSON.parse((await run(['doubts', '--json', ...scene.where])).out);
    const job = { queue: 'notices', id: '4711' };
    expect(json.doubts).toMatchObject([{ job, lateNotSent: true, worker: 'web-1:4242' }]);
  });

  test('one that is scheduled: for when, and where that is past, what to look for', async () => {
    const scene = startScene();
    const key = deriveKey(['notice', 4711]);
    const job = { queue: 'notices', id: '1' };
    const step = { key, token: 't', job, label: 'order 4711', atMs: Date.now() };
    const write = async (dueMs: number, type: 'scheduled' | 'rescheduled' = 'scheduled') => {
      scene.journal.write({ ...step, type, dueMs });
      await scene.journal.flush();
    };
    await write(Date.UTC(2999, 0, 1));
    const { code, out } = await run(['show', 'order 4711', ...scene.where]);
    expect(code).toBe(0);
    expect(out).toMatch(/^scheduled for 2999-01-01 00:00:00Z: no worker has begun with it yet$/m);
    expect(out).toMatch(/ scheduled .* for 2999-01-01 00:00:00Z$/m);
    const resolved = await run(['resolve', 'order 4711', '--sent', '--yes', ...scene.where]);
    expect(resolved.code).toBe(1);
    expect(resolved.out + resolved.err).toMatch(/not in doubt.*scheduled for 2999-01-01/);

    await write(Date.UTC(2020, 0, 1), 'rescheduled');
    const late = (await run(['show', 'order 4711', ...scene.where])).out;
    expect(late).toMatch(
      /^scheduled for 2020-01-01 00:00:00Z, which is past: is a worker running/m,
    );

    // A record has the last word.
    await scene.email('sent', 4711);
    expect((await run(['show', 'order 4711', ...scene.where])).out).toMatch(/^sent$/m);
    expect((await run(['status', ...scene.where])).out).toMatch(/scheduled +1 +1/);
  });

  test.each([
    ['the parts of its key', ['notice', '4711']],
    ['the parts as JSON', ['["notice", 4711]']],
    ['its label', ['order 4711']],
    ['its label in two words', ['order', '4711']],
    ['its Message-ID', ['<m@shop>']],
    ['its Message-ID without brackets', ['m@shop']],
    ['its job', ['notices:4711']],
    ['its key', [deriveKey(['notice', 4711])]],
  ])('finds an email by %s', async (_, words) => {
    const scene = startScene();
    await scene.email('sent', 4711);
    const { key } = await scene.email('sent', 4712);
    scene.journal.write({
      key: deriveKey(['notice', 4711]),
      type: 'sent',
      atMs: 0,
      messageId: '<m@shop>',
    });
    await scene.journal.flush();
    const { code, out } = await run(['show', ...words, ...scene.where]);
    expect(code).toBe(0);
    expect(out).toContain(deriveKey(['notice', 4711]));
    expect(out).not.toContain(key);
  });

  test('a number in a key may have been a text', async () => {
    const scene = startScene();
    await scene.email('sent', 1, { key: deriveKey(['notice', '4711']) });
    expect((await run(['show', 'notice', '4711', ...scene.where])).code).toBe(0);
  });

  test('an unknown email is a clear line, and exit code 1', async () => {
    const scene = startScene();
    await scene.email('sent', 1);
    const { code, out, err } = await run(['show', 'notice', '999', ...scene.where]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/No email is known under "notice 999"\. Give all parts/);
    const json = await run(['show', 'notice', '999', '--json', ...scene.where]);
    expect([json.code, json.out]).toEqual([1, '{"emails":[]}']);
  });

  test('a history of many copies is short, and fits 80 columns', async () => {
    const scene = startScene();
    const { key } = await scene.email('sent', 4711);
    for (let copy = 1; copy <= 31; copy++) {
      const job = { queue: 'a-queue-with-a-very-long-name', id: String(copy) };
      const worker = 'a-host-with-a-very-long-name.example:4242';
      scene.journal.write({
        key,
        token: createToken(),
        job,
        worker,
        type: 'duplicate',
        atMs: Date.now(),
      });
    }
    await scene.journal.flush();
    const { out } = await run(['show', 'order 4711', ...scene.where], { columns: 80 });
    expect(out).toMatch(/duplicate ×31/);
    expect(out.split('\n').length).toBeLessThan(15);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('what a terminal would obey is not passed on', async () => {
    const scene = startScene();
    const { key } = await scene.email('sent', 1);
    scene.journal.write({
      key,
      type: 'sent',
      atMs: Date.now(),
      label: '\u001B[2Jgone\u0007',
      note: 'a\nb',
    });
    await scene.journal.flush();
    const { out } = await run(['show', key, ...scene.where]);
    // oxlint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\u001B\u0007]/);
    expect(out).toContain('[2Jgone');
  });

  test('colours are on only if they are asked for', async () => {
    const scene = startScene();
    await scene.email('sent', 4711);
    const plain = await run(['show', 'order 4711', ...scene.where]);
    const coloured = await run(['show', 'order 4711', ...scene.where], { colours: true });
    expect(plain.out).not.toContain('\u001B');
    expect(coloured.out).toContain('\u001B[32msent');
  });
});

describe('an email without a record: which of the reasons it was', () => {
  const why = ['--why', 'ticket 17', '--by', 'Ann', '--yes'];

  test('resolved as not sent, by whom and why', async () => {
    const scene = startScene();
    await scene.email('in-doubt', 1);
    await run(['resolve', 'notice', '1', '--not-sent', ...why, ...scene.where]);
    const { out } = await run(['show', 'notice', '1', ...scene.where]);
    expect(out).toMatch(/^resolved as not sent by Ann \(ticket 17\): the next attempt sends it$/m);
    expect(out).not.toMatch(/retention|released/);
  });

  test('released', async () => {
    const scene = startScene();
    const attempt = await scene.email('claimed', 1);
    await scene.ledger.release(attempt);
    scene.journal.write({ ...attempt, type: 'released', atMs: Date.now(), note: 'ECONNREFUSED' });
    await scene.journal.flush();
    const { out } = await run(['show', 'notice', '1', ...scene.where]);
    expect(out).toMatch(
      /^released: [^]*nothing\s+was\s+sent\s+\(ECONNREFUSED\);\s+the\s+next\s+attempt/m,
    );
    expect(out).not.toMatch(/retention|resolved/);
  });

  test.each(['sent', 'rejected', 'cancelled'] as const)(
    'its retention is over: %s',
    async (state) => {
      const scene = startScene();
      const { key } = await scene.email(state, 1);
      await scene.client.del(`${scene.prefix}:{${key[0]}}${key.slice(1)}`);
      const { out } = await run(['show', 'notice', '1', ...scene.where]);
      expect(out).toMatch(
        new RegExp(`^${state}, and its retention is over: a new attempt would send`, 'm'),
      );
      expect(out).not.toMatch(/released|resolved/);
    },
  );

  test('a claim whose sender died: its lease is over', async () => {
    const scene = startScene();
    const { key } = await scene.email('claimed', 1);
    await scene.client.del(`${scene.prefix}:{${key[0]}}${key.slice(1)}`);
    const { out } = await run(['show', 'notice', '1', ...scene.where]);
    expect(out).toMatch(/^claimed, and its lease is over: nothing was sent/m);
  });

  test('resolve says the same of it', async () => {
    const scene = startScene();
    await scene.email('in-doubt', 1);
    const command = ['resolve', 'notice', '1', '--not-sent', ...why, ...scene.where];
    await run(command);
    const { code, err } = await run(command);
    expect(code).toBe(1);
    expect(err.replaceAll(/\s+/g, ' ')).toContain('It is resolved as not sent by Ann (ticket 17)');
  });
});
