import { MINUTE_MS } from '@sendonce/core/ledger';
import { withDeadline } from './deadline.ts';
import { type Parts, hashVersion } from './live-parts.ts';

export interface Topic<Data> {
  /** Pages with the same name share each load. */
  readonly name: string;
  readonly load: () => Promise<Data>;
  /** What one page shows of the data. */
  readonly render: (data: Data) => Parts;
}

export interface LiveStreams {
  /**
   * Opens a stream of server-sent events. Undefined if too many are open. `signal` is that of the
   * request, if it has one.
   */
  open<Data>(topic: Topic<Data>, signal?: AbortSignal): ReadableStream<Uint8Array> | undefined;
  /** Ends all streams, because a server that closes waits for its connections. */
  end(): void;
}

/** One open page. */
interface Listener {
  readonly update: (data: unknown) => void;
  readonly fail: () => void;
  /** Called before each load. */
  readonly keepAlive: (nowMs: number) => void;
  readonly end: () => void;
}

/** The pages that share a load. */
interface Audience {
  readonly load: () => Promise<unknown>;
  readonly listeners: Set<Listener>;
}

const LOAD_EVERY_MS = 1000;
/** A proxy may close a connection that is silent for longer. */
const KEEP_ALIVE_MS = 15_000;
/** Then the browser connects again, and `authorize` is asked again. */
const MAX_STREAM_MS = 5 * MINUTE_MS;
const MAX_LISTENERS = 200;

/**
 * Loads each topic about once a second for all of its pages. Without an open page there is no
 * timer.
 */
export function liveStreams({ everyMs = LOAD_EVERY_MS } = {}): LiveStreams {
  const audiences = new Map<string, Audience>();
  const allListeners = new Set<Listener>();
  let timer: NodeJS.Timeout | undefined;
  let isLoading = false;

  function schedule(): void {
    if (timer || isLoading || audiences.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      isLoading = true;
      const nowMs = Date.now();
      for (const listener of allListeners) listener.keepAlive(nowMs);
      void loadAll();
    }, everyMs);
  }

  async function loadAll(): Promise<void> {
    // Each load ends, if only by its deadline.
    await Promise.all([...audiences.values()].map(loadFor));
    isLoading = false;
    schedule();
  }

  /** @returns a function that unsubscribes */
  function subscribe(name: string, load: () => Promise<unknown>, listener: Listener): () => void {
    const audience = audiences.get(name) ?? { load, listeners: new Set() };
    audiences.set(name, audience);
    audience.listeners.add(listener);
    allListeners.add(listener);
    // The page was made before its stream was opened, so it is updated at once.
    void loadFor({ load, listeners: new Set([listener]) });
    schedule();
    return () => {
      allListeners.delete(listener);
      audience.listeners.delete(listener);
      if (audience.listeners.size === 0 && audiences.get(name) === audience) audiences.delete(name);
      if (audiences.size > 0) return;
      clearTimeout(timer);
      timer = undefined;
    };
  }

  return {
    open({ name, load, render }, signal) {
      if (allListeners.size >= MAX_LISTENERS) return undefined;
      return openStream({
        subscribe: (listener) => subscribe(name, load, listener),
        // A listener is only updated with what its own topic has loaded.
        render: render as (data: unknown) => Parts,
        signal,
      });
    },
    end() {
      for (const listener of allListeners) listener.end();
    },
  };
}

async function loadFor({ load, listeners }: Audience): Promise<void> {
  try {
    const data = await withDeadline(load());
    for (const listener of listeners) listener.update(data);
  } catch {
    for (const listener of listeners) listener.fail();
  }
}

interface Opening {
  readonly subscribe: (listener: Listener) => () => void;
  readonly render: (data: unknown) => Parts;
  readonly signal: AbortSignal | undefined;
}

function openStream({ subscribe, render, signal }: Opening): ReadableStream<Uint8Array> {
  let unsubscribe: (() => void) | undefined;
  let end = () => {};

  function stop(): void {
    unsubscribe?.();
    unsubscribe = undefined;
    signal?.removeEventListener('abort', end);
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        end = () => {
          if (!unsubscribe) return;
          stop();
          controller.close();
        };
        const isOpen = () => unsubscribe !== undefined;
        unsubscribe = subscribe(createListener({ controller, render, isOpen, end }));
        if (signal?.aborted) end();
        else signal?.addEventListener('abort', end, { once: true });
      },
      cancel: stop,
    },
    { highWaterMark: 8 },
  );
}

interface ListenerSetup {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly render: (data: unknown) => Parts;
  readonly isOpen: () => boolean;
  readonly end: () => void;
}

/** Writes what changes to the stream of one page. */
function createListener({ controller, render, isOpen, end }: ListenerSetup): Listener {
  const encoder = new TextEncoder();
  const versions = new Map<string, string>();
  const openedMs = Date.now();
  let sentMs = openedMs;
  let isAway = false;

  function send(text: string): void {
    sentMs = Date.now();
    controller.enqueue(encoder.encode(text));
  }

  function sendEvent(name: string, data: unknown): void {
    send(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** A slow reader gets the newest state later, and none of those in between. */
  function canSend(): boolean {
    return isOpen() && (controller.desiredSize ?? 0) > 0;
  }

  function changedParts(parts: Parts) {
    return Object.entries(parts).flatMap(([id, part]) => {
      const version = hashVersion(part);
      if (versions.get(id) === version) return [];
      versions.set(id, version);
      return [{ id, version, markup: part.markup }];
    });
  }

  send('retry: 2000\n\n');
  return {
    update(data) {
      if (!canSend()) return;
      const changed = changedParts(render(data));
      if (changed.length > 0 || isAway) sendEvent('parts', changed);
      isAway = false;
    },
    fail() {
      if (!canSend() || isAway) return;
      isAway = true;
      sendEvent('away', 'The ledger cannot be read at the moment: this is its last known state.');
    },
    keepAlive(nowMs) {
      if (nowMs - openedMs > MAX_STREAM_MS) end();
      else if (nowMs - sentMs > KEEP_ALIVE_MS && canSend()) send(': beat\n\n');
    },
    end,
  };
}
