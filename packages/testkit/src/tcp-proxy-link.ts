import type { Socket } from 'node:net';

export type Direction = 'to-server' | 'to-client';

/**
 * What a client chunk is compared with. Text is compared as latin1, and case matters for strings.
 */
export type RequestMatch = string | RegExp | ((chunk: Buffer) => boolean);

/** One armed cut: either after a request, or at a byte. It leaves the set when it strikes. */
export interface Strike {
  match?: RequestMatch;
  bytesLeft?: number;
  direction?: Direction;
  strike: () => void;
}

export interface ProxyLink {
  client: Socket;
  upstream: Socket;
  /** Resolves when both sockets are closed. */
  closed: Promise<void>;
  reset: () => void;
  pause: () => void;
  resume: () => void;
}

export interface LinkOptions {
  client: Socket;
  upstream: Socket;
  strikes: Set<Strike>;
  isPaused: () => boolean;
  onRequest: (chunk: Buffer) => void;
}

// A Redis on loopback answers a batch within about a millisecond.
const silenceMs = 15;

/** Joins two sockets, forwards bytes, end and reset, and lets the strikes interfere. */
export function linkSockets({
  client,
  upstream,
  strikes,
  isPaused,
  onRequest,
}: LinkOptions): ProxyLink {
  const matches = requestMatcher();
  /** Set once a request has matched: its reply is swallowed. */
  let swallowing: Strike | undefined;
  let silence: NodeJS.Timeout | undefined;

  const reset = () => {
    clearTimeout(silence);
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  };

  const cutReply = () => {
    reset();
    swallowing?.strike();
  };

  const forward = (from: Socket, to: Socket, chunk: Buffer) => {
    if (!to.writable || to.write(chunk)) return;
    from.pause();
    to.once('drain', () => {
      if (!isPaused()) from.resume();
    });
  };

  const killAtByte = (to: Socket, direction: Direction, chunk: Buffer) => {
    for (const strike of strikes) {
      if (strike.bytesLeft === undefined || strike.direction !== direction) continue;
      if (chunk.length < strike.bytesLeft) {
        strike.bytesLeft -= chunk.length;
        continue;
      }
      strikes.delete(strike);
      deaf();
      // FIN and not RST towards the receiver: a RST could overtake the last of the n bytes.
      to.end(chunk.subarray(0, strike.bytesLeft), () => {
        to.destroySoon();
        (to === client ? upstream : client).resetAndDestroy();
        strike.strike();
      });
      return true;
    }
    return false;
  };

  const deaf = () => {
    for (const socket of [client, upstream]) {
      socket.removeAllListeners('data');
      socket.resume();
    }
  };

  client.on('data', (chunk: Buffer) => {
    onRequest(chunk);
    if (swallowing || killAtByte(upstream, 'to-server', chunk)) return;
    for (const strike of strikes) {
      if (strike.match !== undefined && matches(strike.match, chunk)) {
        strikes.delete(strike);
        swallowing = strike;
        break;
      }
    }
    matches.remember(chunk);
    forward(client, upstream, chunk);
  });

  upstream.on('data', (chunk: Buffer) => {
    if (swallowing) {
      clearTimeout(silence);
      silence = setTimeout(cutReply, silenceMs);
      return;
    }
    if (killAtByte(client, 'to-client', chunk)) return;
    forward(upstream, client, chunk);
  });

  for (const [here, there] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    here.setNoDelay(true);
    here.on('end', () => {
      // The server's FIN after a swallowed reply must not look like an orderly end.
      if (swallowing && here === upstream) cutReply();
      else there.end();
    });
    // A refused or reset connection is passed on as a reset.
    here.on('error', () => there.resetAndDestroy());
    if (isPaused()) here.pause();
  }

  const closed = Promise.all(
    [client, upstream].map(
      (socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve())),
    ),
  ).then(() => undefined);

  return {
    client,
    upstream,
    closed,
    reset,
    pause: () => {
      client.pause();
      upstream.pause();
    },
    resume: () => {
      client.resume();
      upstream.resume();
    },
  };
}

/** Compares chunks; a string is also found when it begins in the chunks before. */
function requestMatcher() {
  let tail = '';
  const matches = (match: RequestMatch, chunk: Buffer) => {
    if (typeof match === 'function') return match(chunk);
    const text = chunk.toString('latin1');
    if (typeof match !== 'string') return text.search(match) !== -1;
    // At least one byte is new, so a request that passed before the arming is not found again.
    const overlap = Math.min(tail.length, match.length - 1);
    return (tail.slice(tail.length - overlap) + text).includes(match);
  };
  matches.remember = (chunk: Buffer) => {
    tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 1024))).slice(-1024);
  };
  return matches;
}
