export type { SendonceConfig } from './backend.ts';
export { runCli } from './run-cli.ts';
export type { Terminal } from './terminal.ts';
