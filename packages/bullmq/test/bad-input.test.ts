import { deriveKey, isSendonceError, type OptionError } from '@sendonce/core';
import { registerDispatcher } from '@sendonce/core/ledger';
import { expect, test } from 'vitest';
import { once, type OnceOptions } from '../src/index.ts';
import { type Job, nextFailure, onBothVersions, startStage } from './stage.ts';

const processor = async () => {};

function refused(make: () => unknown): OptionError {
  try {
    make();
  } catch (error) {
    if (isSendonceError(error, 'SENDONCE_OPTION')) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

onBothVersions((bullmq) => {
  const leaves = async (stage: ReturnType<typeof startStage>) =>
    expect(await stage.ledgerKeys()).toEqual([]);

  const wrong: [string, string, object | null | undefined][] = [
    ['no options', 'options', undefined],
    ['null for options', 'options', null],
    ['no key', 'key', { key: undefined }],
    ['a key that is an array', 'key', { key: ['notice'] }],
    ['a key that is a string', 'key', { key: 'secret-key' }],
    ['no ledger', 'ledger', { ledger: undefined }],
    ['a client for a ledger', 'ledger', { ledger: { set() {}, get() {} } }],
    ['a wrong word for dispatch', 'dispatch', { dispatch: 'at-end' }],
    ['null for dispatch', 'dispatch', { dispatch: null }],
    ['a wrong word for onBusy', 'onBusy', { onBusy: 'wait' }],
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '30000', null, 1e300].flatMap(
      (value): [string, string, object][] =>
        ['leaseMs', 'retentionMs'].map((name) => [`${name} of ${value}`, name, { [name]: value }]),
    ),
    ['a retention shorter than the lease', 'retentionMs', { leaseMs: 5_000, retentionMs: 4_999 }],
    ['a retention shorter than the default lease', 'retentionMs', { retentionMs: 1_000 }],
    ['a negative maxResultBytes', 'maxResultBytes', { maxResultBytes: -1 }],
    ['a fingerprint that is no function', 'fingerprint', { fingerprint: 'hash' }],
    ['a classify that is no function', 'classify', { classify: 'rejected' }],
    ['a resolver that is no function', 'resolver', { resolver: 'sent' }],
    ['an onEvent that is no function', 'onEvent', { onEvent: {} }],
  ];

  test.each(wrong)('%s is refused at construction', async (_name, option, changes) => {
    const stage = startStage(bullmq);
    const good = { ledger: stage.ledger, key: (job: Job) => job.data };
    const options = (changes ? { ...good, ...changes } : changes) as OnceOptions<Job>;
    const error = refused(() => once(processor, options));
    expect(error.option).toBe(option);
    expect(error.message).toContain(option === 'options' ? '{ ledger, key' : `"${option}"`);
    expect(error.message).not.toContain('secret');
    await leaves(stage);
  });

  test.each([
    ['a file', './processor.js', /new OnceWorker\(name, file/],
    ['a URL', new URL('file:///processor.js'), /new OnceWorker\(name, file/],
    ['undefined', undefined, /function, got undefined/],
    ['null', null, /function, got null/],
    ['an object', { process() {} }, /function, got a value of type object/],
  ])('%s for a processor is refused', async (_name, value, text) => {
    const stage = startStage(bullmq);
    const options = { ledger: stage.ledger, key: (job: Job) => job.data };
    const error = refused(() => once(value as unknown as typeof processor, options));
    expect(error.option).toBe('processor');
    expect(error.message).toMatch(text);
    await leaves(stage);
  });

  const self: unknown[] = ['notice'];
  self.push(self);
  test.each([
    ['undefined', undefined],
    ['an empty string', ''],
    ['null', null],
    ['a function', () => 'notice'],
    ['a Date', new Date(0)],
    ['a cycle', self],
    ['an empty array', []],
    ['an empty object', {}],
    ['a missing part', ['notice', undefined]],
    ['an empty part', ['notice', '']],
    ['NaN', Number.NaN],
    ['a BigInt', 7n],
    ['a Map', new Map([['secret', 1]])],
    ['a promise', Promise.resolve('notice')],
  ])('a key that is %s fails the job once, before anything runs', async (_name, value) => {
    const stage = startStage(bullmq);
    let runs = 0;
    const guarded = once(async () => void (runs += 1), { ledger: stage.ledger, key: () => value });
    const failure = nextFailure(stage.worker(guarded));
    const job = await stage.queue().add('notice', { order: 7 }, { attempts: 3 });
    expect(await stage.ended(job)).toMatchObject({ state: 'failed', attemptsMade: 1 });
    const error = await failure;
    expect(error).toMatchObject({ name: 'UnrecoverableError', code: 'SENDONCE_KEY' });
    expect(error.message).toMatch(/^"key.*Nothing was sent/);
    expect(error.message).not.toContain('secret');
    expect(runs).toBe(0);
    await leaves(stage);
  });

  test('a key function that throws fails the attempt with its own error, before anything runs', async () => {
    const stage = startStage(bullmq);
    let runs = 0;
    const key = (job: Job) => job.data.order.id.toString() as unknown;
    stage.worker(once(async () => void (runs += 1), { ledger: stage.ledger, key }));
    const job = await stage.ended(await stage.queue().add('notice', {}, { attempts: 2 }));
    expect(job).toMatchObject({ state: 'failed', attemptsMade: 2 });
    expect(job.failedReason).toMatch(/Cannot read properties of undefined/);
    expect(runs).toBe(0);
    await leaves(stage);
  });

  test('a processor that returns an Observable fails once, and its claim is given back', async () => {
    const stage = startStage(bullmq);
    const observable = { subscribe: () => {} };
    const guarded = once((() => observable) as unknown as typeof processor, {
      ledger: stage.ledger,
      key: (job: Job) => job.data,
    });
    const failure = nextFailure(stage.worker(guarded));
    const job = await stage.queue().add('notice', 7, { attempts: 3 });
    expect(await stage.ended(job)).toMatchObject({ state: 'failed', attemptsMade: 1 });
    expect(await failure).toMatchObject({ code: 'SENDONCE_PROCESSOR' });
    expect((await failure).message).toMatch(/Observable.*lastValueFrom/);
    await leaves(stage);
  });

  test('an async processor that returns an Observable may have sent before: in doubt, not sent again', async () => {
    const stage = startStage(bullmq);
    let sent = 0;
    const guarded = once(
      async () => {
        sent += 1;
        return { subscribe: () => {} };
      },
      { ledger: stage.ledger, key: () => 'notice' },
    );
    const failure = nextFailure(stage.worker(guarded));
    for (let n = 0; n < 2; n++) {
      const job = await stage.queue().add('notice', n, { attempts: 3 });
      expect(await stage.ended(job)).toMatchObject({ state: 'failed', attemptsMade: 1 });
    }
    expect(sent).toBe(1);
    expect(await failure).toMatchObject({
      code: 'SENDONCE_IN_DOUBT',
      cause: { cause: { code: 'SENDONCE_PROCESSOR', mayHaveLeft: 'maybe' } },
    });
  });

  test('an error that is its own cause is rethrown as it is', async () => {
    const stage = startStage(bullmq);
    const odd = new Error('no template');
    odd.cause = odd;
    const options = { ledger: stage.ledger, key: () => 'notice', dispatch: 'at-send' } as const;
    registerDispatcher();
    stage.worker(once(() => Promise.reject(odd), options));
    const { failedReason } = await stage.ended(await stage.queue().add('notice', 7));
    expect(failedReason).toBe('no template');
    await leaves(stage);
  });

  test('a payload that is no JSON names its path and leaves no claim', async () => {
    const stage = startStage(bullmq);
    const fingerprint = () => ({ at: { when: new Date(0) } });
    stage.worker(once(processor, { ledger: stage.ledger, key: () => 'notice', fingerprint }));
    const { failedReason, attemptsMade } = await stage.ended(
      await stage.queue().add('notice', 7, { attempts: 3 }),
    );
    expect(failedReason).toMatch(/^"fingerprint\.at\.when" is an instance of Date/);
    expect(attemptsMade).toBe(1);
    await leaves(stage);
  });

  test('a good key leaves exactly one record, and nothing of the data in its name', async () => {
    const stage = startStage(bullmq);
    stage.worker(once(processor, { ledger: stage.ledger, key: (job: Job) => [job.data.to] }));
    await stage.ended(await stage.queue().add('notice', { to: 'ann@shop.example' }));
    const key = deriveKey(['ann@shop.example']);
    expect(await stage.ledgerKeys()).toEqual([`${stage.prefix}:ledger:{${key[0]}}${key.slice(1)}`]);
  });
});
