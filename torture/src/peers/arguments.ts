import { parseOptions, pickNames, UsageError } from '@sendonce/testkit/command-line';
import { type SystemName, systemNames } from '../systems/names.ts';
import { type FaultName, faultNames } from './faults.ts';

export interface PeersArguments {
  readonly systems: readonly SystemName[];
  readonly faults: readonly FaultName[];
  readonly emails: number;
  readonly json: boolean;
  readonly write: boolean;
  readonly help: boolean;
}

export const help = `The same faults for sendonce and for what people use today; counts the emails.

  pnpm torture:peers [options]

  --emails <n>     in each field (default 20)
  --system <name>  only these, with commas: ${systemNames.slice(0, 6).join(', ')},
                   ${systemNames.slice(6).join(', ')}
  --fault <name>   only these, with commas: ${faultNames.slice(0, 5).join(', ')},
                   ${faultNames.slice(5, 11).join(', ')},
                   ${faultNames.slice(11).join(', ')}
  --write          put the tables into docs/peers.md
  --json           print one JSON object on stdout and nothing else there
  --help           this text

All of it takes about five minutes on two cores. Servers are private ones, started for the run and
removed after it.
`;

/** @throws {UsageError} */
export function parseArguments(argv: readonly string[]): PeersArguments {
  const values = parseOptions(argv, {
    emails: { type: 'string' },
    system: { type: 'string', multiple: true },
    fault: { type: 'string', multiple: true },
    write: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  const write = values.write ?? false;
  if (write && (values.system || values.fault)) {
    throw new UsageError('--write is for the whole table: without --system and --fault.');
  }
  const emails = values.emails ?? '20';
  if (!/^[1-9]\d{0,2}$/.test(emails)) {
    throw new UsageError(`Wrong --emails "${emails}".\nAllowed: a whole number from 1 to 999.`);
  }
  return {
    systems: pickNames('system', values.system ?? systemNames, systemNames),
    faults: pickNames('fault', values.fault ?? faultNames, faultNames),
    emails: Number(emails),
    json: values.json ?? false,
    write,
    help: values.help ?? false,
  };
}
