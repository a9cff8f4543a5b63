export { dashboard, type Dashboard } from './dashboard.ts';
export { fastifyPlugin } from './adapters/fastify-plugin.ts';
export { nodeHandler, type NodeHandler } from './adapters/node-handler.ts';
export type { Authorize, DashboardOptions, Viewer } from './options.ts';
