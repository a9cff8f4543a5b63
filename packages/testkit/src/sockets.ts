import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Listens and returns the port; rejects when the port is taken. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Destroys the sockets and stops the server; resolves also when it was stopped before. */
export async function closeServer(server: Server, sockets: Iterable<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  // The callback's error says "not running", which is the aim.
  await new Promise<void>((resolve) => void server.close(() => resolve()));
}

/** A port that is free now. Another program may take it before the caller does. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  const port = await listen(server, host, 0);
  await closeServer(server, []);
  return port;
}
