import { bundleWorker } from '@sendonce/testkit';
import { expect, test } from 'vitest';
import { Once } from '../src/index.ts';
import type * as fixture from './fixtures/standard-decorator.ts';
import { type Job, onBothVersions, startStage } from './stage.ts';

const bundle = await bundleWorker(new URL('./fixtures/standard-decorator.ts', import.meta.url));
const { Notices } = (await import(/* @vite-ignore */ bundle)) as typeof fixture;

/** What `experimentalDecorators` compiles `@Once(…) process() {}` to. */
function decorateAsLegacy(prototype: object, decorator: ReturnType<typeof Once>): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'process')!;
  Object.defineProperty(prototype, 'process', decorator(prototype, 'process', descriptor));
}

onBothVersions((bullmq) => {
  test('as a standard decorator: a copy is a duplicate, this is the instance', async () => {
    const stage = startStage(bullmq);
    const notices = new Notices(stage.ledger, 'shop');
    stage.worker((job, token, signal) => notices.process(job, token, signal));
    for (const order of [7, 7, 8]) {
      const job = await stage.ended(await stage.queue().add('notice', { order }));
      expect(job).toMatchObject({ state: 'completed', returnvalue: 'shop' });
    }
    expect(notices.sent).toEqual(['shop: 7', 'shop: 8']);
  });

  test('as a legacy decorator, with plain options', async () => {
    const stage = startStage(bullmq);
    class Legacy {
      readonly sent: number[] = [];
      async process(job: Job) {
        this.sent.push(job.data.order);
        return this.sent.length;
      }
    }
    const options = { ledger: stage.ledger, key: (job: Job) => ['notice', job.data.order] };
    decorateAsLegacy(Legacy.prototype, Once(options));
    const legacy = new Legacy();
    stage.worker((job) => legacy.process(job));
    for (const order of [7, 7]) {
      const job = await stage.ended(await stage.queue().add('notice', { order }));
      expect(job).toMatchObject({ state: 'completed', returnvalue: 1 });
    }
    expect(legacy.sent).toEqual([7]);
  });

  test('each instance has its own ledger and options', async () => {
    const stage = startStage(bullmq);
    const other = stage.ledgerOn(stage.redis, { prefix: `${stage.prefix}:ledger-of-other` });
    const [shop, second] = [new Notices(stage.ledger, 'shop'), new Notices(other, 'second')];
    stage.worker((job, token, signal) => shop.process(job, token, signal), {
      queue: 'a',
    });
    stage.worker((job, token, signal) => second.process(job, token, signal), { queue: 'b' });
    for (const queue of ['a', 'b']) {
      await stage.ended(await stage.queue(queue).add('notice', { order: 7 }), { queue });
    }
    expect([shop.sent, second.sent]).toEqual([['shop: 7'], ['second: 7']]);
    expect(await stage.ledgerKeys()).toHaveLength(2);
  });
});

test('the decorated method declares three parameters, or BullMQ passes no signal', () => {
  expect(Object.getOwnPropertyDescriptor(Notices.prototype, 'process')!.value).toHaveLength(3);
});

test('wrong options of an instance fail its first job, at once', async () => {
  class Wrong {
    async process(_job: Job) {}
  }
  decorateAsLegacy(
    Wrong.prototype,
    Once(() => ({ key: () => 1 }) as never),
  );
  await expect(new Wrong().process({} as Job)).rejects.toMatchObject({
    name: 'UnrecoverableError',
    cause: { option: 'ledger' },
  });
});
