import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * The way from a master to its replica, as long as one between two data centres. What the master
 * says arrives `lagMs` later, and what is on its way when the master's machine dies never does: on
 * one machine the kernel would still deliver it.
 */
export async function startLaggingLink(port: number, lagMs: number) {
  const sockets = new Set<Socket>();
  let lost = false;
  const server = createServer((replica) => {
    const master = connect(port, '127.0.0.1');
    for (const [from, to, delayMs] of [
      [master, replica, lagMs],
      [replica, master, 0],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        setTimeout(() => void (lost || to.destroyed || to.write(chunk)), delayMs);
      });
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    inUse: () => sockets.size > 0,
    /** Loses what is on its way. */
    async lose(): Promise<void> {
      lost = true;
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
