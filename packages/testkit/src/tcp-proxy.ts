import { type Socket, connect, createServer } from 'node:net';
import {
  type Direction,
  type ProxyLink,
  type RequestMatch,
  type Strike,
  linkSockets,
} from './tcp-proxy-link.ts';
import { closeServer, listen } from './sockets.ts';

export type TcpProxyTarget = { host: string; port: number } | { url: string };

/** A cut that was asked for. */
export interface ArmedCut {
  /** Resolves when it has struck; never, if nothing matched. */
  struck: Promise<void>;
  /** Disarms it, if it has not struck yet. */
  cancel: () => void;
}

export interface TcpProxy {
  host: string;
  port: number;
  /** The target's URL with this proxy's address; `tcp://host:port` when the target was no URL. */
  url: string;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly openConnections: number;
  /**
   * "The server executed it, and the reply never arrived", once: the next client chunk that matches
   * is forwarded, the server's answer is swallowed, and the client gets a RST. Later connections
   * pass.
   *
   * What the client sends after the matching chunk is not forwarded any more. A string is also
   * found across two chunks; a RegExp is tried on each chunk alone (latin1).
   *
   * The cut waits for the first answer and then for 15 ms of silence, as the first answer may
   * belong to an earlier command of the same connection.
   */
  cutAfterRequest: (match: RequestMatch) => ArmedCut;
  /**
   * Ends a connection after exactly `n` bytes in one direction, counted from now over all
   * connections, once. The receiver gets the n bytes and then FIN, the other side a RST.
   */
  killAtByte: (n: number, direction: Direction) => ArmedCut;
  /** Resets every open connection, on both sides. */
  cut: () => void;
  /** A stalled network: sockets stay open, nothing moves, new connections get no byte. */
  pause: () => void;
  resume: () => void;
  /**
   * Calls the listener with each client chunk before it is forwarded. Returns a function that stops
   * it.
   */
  onRequest: (listener: (chunk: Buffer, connection: number) => void) => () => void;
  /** Destroys every connection and stops listening. May be called twice. */
  close: () => Promise<void>;
}

/**
 * Starts a TCP proxy on a free loopback port that can lose exactly what a test wants lost.
 *
 * @example
 * const proxy = await startTcpProxy({ url: redisUrl() })
 * const client = new Redis(proxy.url)
 * proxy.cutAfterRequest('evalsha')
 */
export async function startTcpProxy(target: TcpProxyTarget): Promise<TcpProxy> {
  const address = targetAddress(target);
  const host = '127.0.0.1';
  const links = new Set<ProxyLink>();
  const strikes = new Set<Strike>();
  const listeners = new Set<(chunk: Buffer, connection: number) => void>();
  let connections = 0;
  let paused = false;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const number = connections++;
    const upstream = connect({ ...address, allowHalfOpen: true });
    const link = linkSockets({
      client,
      upstream,
      strikes,
      isPaused: () => paused,
      onRequest: (chunk) => {
        for (const listener of listeners) listener(chunk, number);
      },
    });
    links.add(link);
    link.closed.then(
      () => links.delete(link),
      () => {},
    );
  });
  const port = await listen(server, host, 0);

  const arm = (strike: Omit<Strike, 'strike'>): ArmedCut => {
    let done = () => {};
    const struck = new Promise<void>((resolve) => void (done = resolve));
    const armed: Strike = { ...strike, strike: done };
    strikes.add(armed);
    return { struck, cancel: () => void strikes.delete(armed) };
  };

  return {
    host,
    port,
    url: proxyUrl(target, host, port),
    get connections() {
      return connections;
    },
    get openConnections() {
      return links.size;
    },
    cutAfterRequest: (match) => arm({ match }),
    killAtByte: (n, direction) => {
      if (!Number.isInteger(n) || n < 1)
        throw new RangeError(`killAtByte: n must be a whole number from 1, got ${n}`);
      return arm({ bytesLeft: n, direction });
    },
    cut: () => {
      for (const link of links) link.reset();
    },
    pause: () => {
      paused = true;
      for (const link of links) link.pause();
    },
    resume: () => {
      paused = false;
      for (const link of links) link.resume();
    },
    onRequest: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => {
      const sockets: Socket[] = [...links].flatMap((link) => [link.client, link.upstream]);
      return closeServer(server, sockets);
    },
  };
}

function targetAddress(target: TcpProxyTarget): { host: string; port: number } {
  if (!('url' in target)) return { host: target.host, port: target.port };
  const { hostname, port, protocol } = new URL(target.url);
  const usual = protocol === 'redis:' || protocol === 'rediss:' ? 6379 : 25;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || usual) };
}

function proxyUrl(target: TcpProxyTarget, host: string, port: number): string {
  if (!('url' in target)) return `tcp://${host}:${port}`;
  const url = new URL(target.url);
  url.hostname = host;
  url.port = String(port);
  return url.href;
}
