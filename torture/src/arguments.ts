import { randomInt } from 'node:crypto';
import { parseOptions, pickNames, UsageError, wholeNumber } from '@sendonce/testkit/command-line';
import { isLedgerName, ledgerNames, type SystemName, systemNames } from './systems/names.ts';

export interface Arguments {
  readonly systems: readonly SystemName[];
  readonly seed: number;
  readonly emails: number;
  readonly workers: number;
  readonly minutes: number;
  readonly soak: boolean;
  readonly json: boolean;
  /** Where the HTML page goes. */
  readonly report: string;
  readonly help: boolean;
}

export const help = `Kills, freezes and partitions real workers at every step, and judges every email.

  pnpm torture [options]

  --ledger <name>   ${ledgerNames.join(', ')} (default redis); several with commas, one
                    after the other. A peer, to see what the kit sees:
                    ${systemNames.filter((name) => !isLedgerName(name)).join(', ')}
  --seed <n>        draws the same emails and the same faults (default: a random one, which is
                    printed). The processes are real, so their interleaving is not repeated
  --emails <n>      how many (default 1000)
  --workers <n>     worker processes (default 16)
  --minutes <n>     for how long faults strike; all emails are due within it (default 1)
  --soak            a steady stream instead, by workers that stay alive: do memory, handles and
                    keys stay flat? --emails is then for each second (default 20), --workers 4
  --json            print one JSON object for each ledger on stdout and nothing else there
  --report <file>   where the HTML page goes (default torture-report.html)
  --help            this text

Servers are private ones, started for the run and removed after it. Exit code: 0 without
violations, 1 with, 2 for a wrong command line.
`;

/** @throws {UsageError} */
export function parseArguments(argv: readonly string[]): Arguments {
  const values = parseOptions(argv, {
    ledger: { type: 'string', multiple: true },
    seed: { type: 'string' },
    emails: { type: 'string' },
    workers: { type: 'string' },
    minutes: { type: 'string' },
    soak: { type: 'boolean' },
    json: { type: 'boolean' },
    report: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  const soak = values.soak ?? false;
  return {
    systems: pickNames<SystemName>(
      'ledger',
      values.ledger ?? ['redis'],
      soak ? ledgerNames : systemNames,
    ),
    seed: wholeNumber('seed', values.seed ?? String(randomInt(2 ** 31)), [0, 2 ** 31 - 1]),
    emails: wholeNumber('emails', values.emails ?? (soak ? '20' : '1000'), [1, 1_000_000]),
    workers: wholeNumber('workers', values.workers ?? (soak ? '4' : '16'), [1, 64]),
    minutes: parseMinutes(values.minutes),
    soak,
    json: values.json ?? false,
    report: values.report ?? 'torture-report.html',
    help: values.help ?? false,
  };
}

function parseMinutes(given = '1'): number {
  const minutes = /^\d+(\.\d+)?$/.test(given) ? Number(given) : NaN;
  if (minutes > 0 && minutes <= 24 * 60) return minutes;
  throw new UsageError(`Wrong --minutes "${given}".\nAllowed: above 0, at most 1440.`);
}
