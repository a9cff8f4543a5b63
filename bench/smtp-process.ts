/** The mail server of the benchmark: takes every email and forgets it. */
import { reachPoint, startSmtpServer, workerData } from '@sendonce/testkit';

const server = await startSmtpServer(workerData() as { ackDelayMs: number });
server.onEmail(() => (server.received.length = 0));
// No parent may be left that could close it.
process.on('disconnect', () => process.exit());
await reachPoint('listening', { host: server.host, port: server.port });
