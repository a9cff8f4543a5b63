import { withDeadline } from './deadline.ts';
import { type Parts, versionOf } from './live-parts.ts';

export interface Topic<Data> {
  /** Those who look at the same are served by one look into the ledger. */
  readonly name: string;
  readonly load: () => Promise<Data>;
  /** What one of them sees of it. */
  readonly render: (data: Data) => Parts;
}

export interface LiveStreams {
  /** Server-sent events; undefined when too many listen. `signal` is the request's, where it has one. */
  open<Data>(topic: Topic<Data>, signal?: AbortSignal): ReadableStream<Uint8Array> | undefined;
  /** Ends all streams: a server that closes waits for its connections. */
  end(): void;
}

interface Listener {
  readonly tell: (data: unknown) => void;
  readonly fail: () => void;
  readonly beat: (nowMs: number) => void;
  readonly end: () => void;
}

interface Looking {
  readonly load: () => Promise<unknown>;
  readonly listeners: Set<Listener>;
}

const EVERY_MS = 1000;
const BEAT_MS = 15_000;
/** Then the browser asks again, and may not be admitted any more. */
const LONGEST_MS = 5 * 60_000;
const MOST_LISTENERS = 200;

/** Looks about once a second while anybody listens, once for all of them; else there is no timer. */
export function liveStreams({ everyMs = EVERY_MS } = {}): LiveStreams {
  const topics = new Map<string, Looking>();
  const everybody = new Set<Listener>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;

  function lookSoon(): void {
    if (timer || looking || topics.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      looking = true;
      const nowMs = Date.now();
      for (const listener of everybody) listener.beat(nowMs);
      void lookAtAll();
    }, everyMs);
  }

  async function lookAtAll(): Promise<void> {
    // Each look ends, if only by its deadline.
    await Promise.all([...topics.values()].map(look));
    looking = false;
    lookSoon();
  }

  function join(name: string, load: () => Promise<unknown>, listener: Listener): () => void {
    const topic = topics.get(name) ?? { load, listeners: new Set() };
    topics.set(name, topic);
    topic.listeners.add(listener);
    everybody.add(listener);
    // A page that waited for its stream is old by now.
    void look({ load, listeners: new Set([listener]) });
    lookSoon();
    return () => {
      everybody.delete(listener);
      topic.listeners.delete(listener);
      if (topic.listeners.size === 0 && topics.get(name) === topic) topics.delete(name);
      if (topics.size > 0) return;
      clearTimeout(timer);
      timer = undefined;
    };
  }

  return {
    open({ name, load, render }, signal) {
      if (everybody.size >= MOST_LISTENERS) return undefined;
      return streamOf(
        (listener) => join(name, load, listener),
        render as (data: unknown) => Parts,
        signal,
      );
    },
    end() {
      for (const listener of everybody) listener.end();
    },
  };
}

async function look({ load, listeners }: Looking): Promise<void> {
  try {
    const data = await withDeadline(load());
    for (const listener of listeners) listener.tell(data);
  } catch {
    for (const listener of listeners) listener.fail();
  }
}

function streamOf(
  join: (listener: Listener) => () => void,
  render: (data: unknown) => Parts,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const versions = new Map<string, string>();
  const openedMs = Date.now();
  let saidMs = openedMs;
  let away = false;
  let leave: (() => void) | undefined;

  function stop(): void {
    leave?.();
    leave = undefined;
    signal?.removeEventListener('abort', stop);
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const say = (text: string) => {
          saidMs = Date.now();
          controller.enqueue(encoder.encode(text));
        };
        const event = (name: string, data: unknown) =>
          say(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
        // Who reads slowly gets the newest state later, and nothing of what was between.
        const isBehind = () => !leave || (controller.desiredSize ?? 0) <= 0;
        const end = () => {
          if (!leave) return;
          stop();
          controller.close();
        };
        say('retry: 2000\n\n');
        leave = join({
          tell(data) {
            if (isBehind()) return;
            const changed = Object.entries(render(data)).flatMap(([id, part]) => {
              const version = versionOf(part);
              if (versions.get(id) === version) return [];
              versions.set(id, version);
              return [{ id, version, markup: part.markup }];
            });
            if (changed.length > 0 || away) event('parts', changed);
            away = false;
          },
          fail() {
            if (isBehind() || away) return;
            away = true;
            event('away', 'The ledger cannot be read at the moment: this is what it said last.');
          },
          beat(nowMs) {
            if (nowMs - openedMs > LONGEST_MS) end();
            else if (nowMs - saidMs > BEAT_MS && !isBehind()) say(': beat\n\n');
          },
          end,
        });
        if (signal?.aborted) end();
        else signal?.addEventListener('abort', end, { once: true });
      },
      cancel: stop,
    },
    { highWaterMark: 8 },
  );
}
