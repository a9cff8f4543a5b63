import type { Command } from './command.ts';

const locationHelp = `Where the emails are:
  --redis <url>           the ledger on one Redis
  --redlock <url,url,…>   the ledger on three or more of them
  --postgres <url>        the ledger on PostgreSQL
  --prefix <text>         of the Redis keys (default sendonce)
  --schema <name>         of the tables (default sendonce)
  --journal <url>         the Redis of the journal (default: that of --redis)
  --queue <url>           the Redis of the queues, for --retry (default: that of --redis)
  --queue-prefix <text>   BullMQ's prefix (default bull)
  --config <file>         a file instead: JSON with these names, or a module that exports { ledger, journal?, queues? }
                          (default: sendonce.config.json, .mjs or .js in this folder, if no ledger is given)
Each option can also be set in the environment: SENDONCE_REDIS, SENDONCE_QUEUE_PREFIX, …

  --json                  one JSON object on stdout, and nothing else there
  --help                  this text

Exit codes: 0 success; 1 negative result (not found, emails in doubt, already resolved); 2 usage error; 3 server
unavailable; 4 nothing at all is known in that place. Colours are off with NO_COLOR, and if stdout is not a terminal.`;

export function help(commands: readonly Command[]): string {
  const length = Math.max(...commands.map(({ usage }) => usage.length));
  const lines = commands.map(({ usage, summary }) => `  ${usage.padEnd(length)}  ${summary}`);
  return `sendonce: what happened to this customer's email?

  sendonce <command> [options]

${lines.join('\n')}

${locationHelp}`;
}

export function commandHelp({ usage, summary, details }: Command): string {
  return `sendonce ${usage}

  ${summary}
${details === undefined ? '' : `\n${details}\n`}
${locationHelp}`;
}
