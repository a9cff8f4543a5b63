import type { Command } from './command.ts';

const where = `Where the emails are remembered:
  --redis <url>           the ledger on one Redis
  --redlock <url,url,…>   the ledger on three or more of them
  --postgres <url>        the ledger on PostgreSQL
  --prefix <text>         of the Redis keys (default sendonce)
  --schema <name>         of the tables (default sendonce)
  --journal <url>         the Redis of the journal (default: that of --redis)
  --queue <url>           the Redis of the queues, for --retry (default: that of --redis)
  --queue-prefix <text>   BullMQ's prefix (default bull)
  --config <file>         a file instead: JSON with these names, or a module that exports { ledger, journal?, queues? }
                          (default: sendonce.config.json, .mjs or .js here, where nothing else is given)
Each can be set in the environment, too: SENDONCE_REDIS, SENDONCE_QUEUE_PREFIX, …

  --json                  one JSON object on stdout, and nothing else there
  --help                  this text

Exit code: 0 done, or all is well; 1 the answer is no (nothing found, doubts stand, somebody was faster); 2 a wrong
command line; 3 a server could not answer. Colours are off with NO_COLOR, and where stdout is no terminal.`;

export function help(commands: readonly Command[]): string {
  const length = Math.max(...commands.map(({ usage }) => usage.length));
  const lines = commands.map(({ usage, summary }) => `  ${usage.padEnd(length)}  ${summary}`);
  return `sendonce: what happened to this customer's email?

  sendonce <command> [options]

${lines.join('\n')}

${where}`;
}

export function commandHelp({ usage, summary, details }: Command): string {
  return `sendonce ${usage}

  ${summary}
${details === undefined ? '' : `\n${details}\n`}
${where}`;
}
