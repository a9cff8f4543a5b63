import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { composer } from './compose.ts';
import { readConfig } from './config.ts';
import { connected, connectForRequests } from './connect.ts';
import { openNotices } from './notices.ts';
import { endGracefully, explainTakenPort, ready } from './part.ts';
import { createApi } from './routes.ts';
import { loadTemplates } from './templates.ts';

const config = readConfig();
const compose = composer(await loadTemplates(config.templates), config.timeZone);
const redis = connectForRequests(config.redisUrl);
await connected(redis);
const notices = openNotices(config, redis, compose);
const server = serve({
  fetch: createApi(notices).fetch,
  hostname: config.host,
  port: config.port,
});
await once(server, 'listening').catch((error: unknown) => {
  throw explainTakenPort(error, config.port, 'PORT');
});

endGracefully(async () => {
  await new Promise((resolve) => server.close(resolve));
  await notices.close();
  redis.disconnect();
});
ready(`http://${config.host}:${(server.address() as AddressInfo).port}`);
