import { eventually } from '@sendonce/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { html } from '../src/html.ts';
import { liveStreams, type Topic } from '../src/live-streams.ts';

/** A topic whose only part says how often it was loaded, and is slow to say something new. */
function counted(name = 'count') {
  const topic = {
    loads: 0,
    text: 'first',
    name,
    async load() {
      topic.loads += 1;
      return topic.text;
    },
    render: (text: string) => ({ part: html`${text}`, other: html`same` }),
  };
  return topic satisfies Topic<string>;
}

function listen(stream: ReadableStream<Uint8Array> | undefined) {
  const reader = stream!.getReader();
  const heard = { text: '', ended: false, stop: () => reader.cancel() };
  void (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      heard.text += Buffer.from(value).toString();
    }
    heard.ended = true;
  })();
  onTestFinished(() => heard.stop());
  return heard;
}

test('many listeners of one topic share each look', async () => {
  const streams = liveStreams({ everyMs: 20 });
  const topic = counted();
  const all = Array.from({ length: 20 }, () => listen(streams.open(topic)));
  // One at once for each that comes, and then one for all.
  const before = topic.loads;
  expect(before).toBe(20);
  topic.text = 'second';
  await eventually(() => {
    for (const { text } of all) expect(text).toContain('second');
  });
  expect(topic.loads).toBeLessThan(before + 10);
});

test('the last one who leaves takes the timer along; another one starts it again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const streams = liveStreams({ everyMs: 1000 });
  const topic = counted();
  const [one, other] = [listen(streams.open(topic)), listen(streams.open(topic))];
  await vi.advanceTimersByTimeAsync(5000);
  expect(topic.loads).toBe(2 + 5);
  await one.stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(topic.loads).toBe(2 + 10);
  expect(vi.getTimerCount()).toBe(1);
  await other.stop();
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(5000);
  expect(topic.loads).toBe(2 + 10);

  // A viewer who leaves while the ledger is read leaves no timer either.
  const third = listen(streams.open({ ...topic, load: () => new Promise<string>(() => {}) }));
  await vi.advanceTimersByTimeAsync(1000);
  await third.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(vi.getTimerCount()).toBe(0);

  const fourth = listen(streams.open(topic));
  await vi.advanceTimersByTimeAsync(2000);
  expect(topic.loads).toBe(2 + 10 + 1 + 2);
  await fourth.stop();
});

test('only parts that changed are sent, with their versions', async () => {
  const streams = liveStreams({ everyMs: 5 });
  const topic = counted();
  const heard = listen(streams.open(topic));
  await eventually(() => expect(heard.text).toContain('"markup":"same"'));
  topic.text = 'second';
  await eventually(() => expect(heard.text).toContain('"markup":"second"'));
  const loads = topic.loads;
  await eventually(() => expect(topic.loads).toBeGreaterThan(loads + 3));
  expect(heard.text.split('event: parts')).toHaveLength(3);
  expect(heard.text.split('"markup":"same"')).toHaveLength(2);
});

test('the viewer learns once that a ledger is away, and that it is back', async () => {
  const streams = liveStreams({ everyMs: 5 });
  const topic = counted();
  const load = vi.spyOn(topic, 'load').mockRejectedValue(new Error('at 10.0.0.7:6379'));
  const heard = listen(streams.open({ ...topic, load: () => topic.load() }));
  await eventually(() => expect(load.mock.calls.length).toBeGreaterThan(4));
  expect(heard.text.split('event: away')).toHaveLength(2);
  expect(heard.text).not.toContain('10.0.0.7');
  load.mockRestore();
  await eventually(() => expect(heard.text).toContain('event: parts'));
});

test('a viewer who does not read gets nothing more, and the newest state when they do', async () => {
  const streams = liveStreams({ everyMs: 2 });
  const topic = counted();
  const stream = streams.open({ ...topic, load: async () => String((topic.loads += 1)) })!;
  await eventually(() => expect(topic.loads).toBeGreaterThan(60));
  const newest = topic.loads;
  const heard = listen(stream);
  await eventually(() => expect(heard.text).toMatch(new RegExp(`"markup":"(${newest}|\\d{3,})"`)));
  expect(heard.text.split('event: parts').length).toBeLessThan(newest);
  expect(heard.text).not.toContain(`"markup":"${newest - 20}"`);
});

test('a request that is aborted leaves, and so does everybody at the end', async () => {
  const streams = liveStreams({ everyMs: 5 });
  const topic = counted();
  const controller = new AbortController();
  const one = listen(streams.open(topic, controller.signal));
  const other = listen(streams.open(topic));
  controller.abort();
  await eventually(() => expect(one.ended).toBe(true));
  expect(other.ended).toBe(false);
  streams.end();
  await eventually(() => expect(other.ended).toBe(true));
});

test('a stream ends after five minutes, so that its viewer is admitted anew', async () => {
  const streams = liveStreams({ everyMs: 5 });
  const heard = listen(streams.open(counted()));
  await eventually(() => expect(heard.text).toContain('event: parts'));
  const now = Date.now();
  const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 5 * 60_000 - 1000);
  onTestFinished(() => clock.mockRestore());
  await eventually(() => expect(heard.text).toContain(': beat'));
  expect(heard.ended).toBe(false);
  clock.mockReturnValue(now + 5 * 60_000 + 1000);
  await eventually(() => expect(heard.ended).toBe(true));
});

test('no more than 200 listen at a time', () => {
  const streams = liveStreams();
  const topic = counted();
  const opened = Array.from({ length: 200 }, () => streams.open(topic));
  expect(opened.every((stream) => stream !== undefined)).toBe(true);
  expect(streams.open(topic)).toBeUndefined();
  streams.end();
  expect(streams.open(topic)).toBeDefined();
  streams.end();
});
