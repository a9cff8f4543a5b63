import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Server } from './stage.ts';

export interface PostgresMeter extends Server {
  /** Both directions, since the start. */
  readonly bytes: () => number;
  /** Statements that clients had executed: simple queries and Execute messages. */
  readonly commands: () => number;
  readonly stop: () => void;
}

/** A proxy that counts, because PostgreSQL tells neither bytes nor statements of a client. */
export async function startPostgresMeter({ url, how }: Server): Promise<PostgresMeter> {
  const target = new URL(url);
  const host = target.hostname;
  const port = Number(target.port);
  const sockets = new Set<Socket>();
  let bytes = 0;
  let commands = 0;
  const server = createServer((client) => {
    const upstream = connect({ host, port, noDelay: true });
    client.setNoDelay(true);
    const countCommands = commandCounter();
    client.on('data', (chunk) => {
      bytes += chunk.length;
      commands += countCommands(chunk);
    });
    upstream.on('data', (chunk) => void (bytes += chunk.length));
    client.pipe(upstream);
    upstream.pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  target.hostname = '127.0.0.1';
  target.port = String((server.address() as AddressInfo).port);
  return {
    url: target.href,
    how,
    bytes: () => bytes,
    commands: () => commands,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Counts in the stream of one client: type (one byte), length of the rest (four), the rest. */
function commandCounter(): (chunk: Buffer) => number {
  let pending = Buffer.alloc(0);
  // The first message of a connection has no type.
  let typeBytes = 0;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    let counted = 0;
    while (pending.length >= typeBytes + 4) {
      const length = typeBytes + pending.readInt32BE(typeBytes);
      if (pending.length < length) break;
      const type = typeBytes === 0 ? '' : String.fromCharCode(pending[0]!);
      if (type === 'Q' || type === 'E') counted++;
      pending = pending.subarray(length);
      typeBytes = 1;
    }
    return counted;
  };
}
