import type { Command } from './command.ts';
import type { Terminal } from './terminal.ts';
import { wrap } from './wrap.ts';

const locationHelp = `Where the emails are:
  --redis <url>           the ledger on one Redis
  --redlock <url,url,…>   the ledger on three or more of them
  --postgres <url>        the ledger on PostgreSQL
  --prefix <text>         of the Redis keys (default sendonce)
  --schema <name>         of the tables (default sendonce)
  --journal <url>         the Redis of the journal (default: that of --redis)
  --queue <url>           the Redis of the queues, for --retry (default: that of --redis)
  --queue-prefix <text>   BullMQ's prefix (default bull)
  --config <file>         a file instead: JSON with these names, or a module that exports { ledger, journal?, queues? } (default: sendonce.config.json, .mjs or .js in this folder, if no ledger is given)
Each option can also be set in the environment: SENDONCE_REDIS, SENDONCE_QUEUE_PREFIX, …

  --json                  one JSON object on stdout, and nothing else there
  --help                  this text
  --version               the version of sendonce

Exit codes: 0 success; 1 negative result (not found, emails in doubt, already resolved); 2 usage error; 3 server unavailable; 4 nothing at all is known in that place.
Colours are off with NO_COLOR, and if stdout is not a terminal.`;

/** Long lines are harder to read than short ones, also on a wide terminal. */
const MAX_WIDTH = 80;

type Width = Pick<Terminal, 'columns'>;

export function help(commands: readonly Command[], width: Width): string {
  const length = Math.max(...commands.map(({ usage }) => usage.length));
  const lines = commands.map(({ usage, summary }) => `  ${usage.padEnd(length)}  ${summary}`);
  return wrapHelp(
    `sendonce: what happened to this customer's email?

  sendonce <command> [options]

${lines.join('\n')}

${locationHelp}`,
    width,
  );
}

export function commandHelp({ usage, summary, details }: Command, width: Width): string {
  return wrapHelp(
    `sendonce ${usage}

  ${summary}
${details === undefined ? '' : `\n${details}\n`}
${locationHelp}`,
    width,
  );
}

function wrapHelp(text: string, { columns = MAX_WIDTH }: Width): string {
  return wrap(text, { columns: Math.min(columns, MAX_WIDTH) });
}
