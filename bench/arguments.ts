import {
  parseWordsAndOptions,
  pickNames,
  UsageError,
  wholeNumber,
} from '@sendonce/testkit/command-line';
import {
  type PartName,
  partNames,
  type ProcessorName,
  processorNames,
  type SetupName,
  setupNames,
  type SystemName,
  systemNames,
  usualProcessors,
} from './names.ts';

export interface Arguments {
  readonly parts: readonly PartName[];
  readonly systems: readonly SystemName[];
  readonly processors: readonly ProcessorName[];
  readonly setups: readonly SetupName[];
  /** Undefined: each part has its own number. */
  readonly jobs: number | undefined;
  readonly rounds: number;
  /**
   * How many settled emails the ledgers of `latency` hold, smallest first; `memory` and `look` take
   * the middle one.
   */
  readonly records: readonly number[];
  readonly json: boolean;
  /** The path of the SVG, if the run writes one. */
  readonly picture: string | undefined;
  readonly help: boolean;
}

export const help = `What keeping emails from being sent twice costs, beside bare BullMQ, in one run.

  pnpm bench [${partNames.join('] [')}] [options]

  throughput  jobs per second, as a ratio to the bare round beside it
  cost        commands and bytes on the wire for each email, beyond bare BullMQ's
  latency     of a claim, in Redis ledgers that hold few and many settled emails
  memory      bytes of Redis for each settled email
  look        what people wait for who ask about emails, and what it holds up
  schedule    the methods of delayedEmails() beside BullMQ's own
  cpu         CPU of one worker and of Redis for each email, over SMTP

  --systems <names>     only these, with commas:
                        ${inLines(systemNames)}
  --processors <names>  ${usualProcessors.join(', ')}; smtp-50ms (a mail server that takes its time) where
                        it is asked for
  --setups <names>      ${setupNames.join(', ')}: the concurrency of one worker, or 32 workers of 1
  --jobs <n>            jobs of a round; of latency, claims (default 4000 for noop, 640 for 5ms and smtp,
                        but 50 for each that run at once; 200 for smtp-50ms; 1000 for cost and latency;
                        2000 for schedule)
  --rounds <n>          measured rounds of throughput, latency, schedule and cpu; one more warms up (default 7)
  --records <n,n,…>     settled emails in the ledgers of latency; memory and look take the middle one
                        (default 10000,1000000,10000000)
  --picture <file>      write the ratios as an SVG
  --json                print one JSON object on stdout and nothing else there
  --help                this text

Throughput uses REDIS_URL and DATABASE_URL if they are set. All other servers are started for the run
and removed after it. Exit code: 0, or 1 for a wrong command line or a run that failed.
`;

/** @throws {UsageError} */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, words } = parseWordsAndOptions(argv, {
    systems: { type: 'string', multiple: true },
    processors: { type: 'string', multiple: true },
    setups: { type: 'string', multiple: true },
    jobs: { type: 'string' },
    rounds: { type: 'string' },
    records: { type: 'string' },
    picture: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  const unknown = words.find((word) => !partNames.some((name) => name === word));
  if (unknown !== undefined) {
    throw new UsageError(`Unknown part "${unknown}".\nAllowed: ${partNames.join(', ')}.`);
  }
  const parts = partNames.filter((name) => words.length === 0 || words.includes(name));
  if (values.picture !== undefined && !parts.includes('throughput')) {
    throw new UsageError(`--picture shows throughput, which is not among ${parts.join(', ')}.`);
  }
  return {
    parts,
    systems: pick('systems', systemNames, values.systems),
    processors: pick('processors', processorNames, values.processors ?? [...usualProcessors]),
    setups: pick('setups', setupNames, values.setups),
    jobs: values.jobs === undefined ? undefined : wholeNumber('jobs', values.jobs, [1, 1_000_000]),
    rounds: wholeNumber('rounds', values.rounds ?? '7', [1, 1000]),
    records: (values.records ?? '10000,1000000,10000000')
      .split(',')
      .map((given) => wholeNumber('records', given, [1, 1_000_000_000]))
      .toSorted((one, other) => one - other),
    json: values.json ?? false,
    picture: values.picture,
    help: values.help ?? false,
  };
}

/** The given ones in the order of the tables; all when none is given. */
function pick<N extends string>(option: string, allowed: readonly N[], given?: string[]): N[] {
  const wanted = given && pickNames(option, given, allowed);
  return allowed.filter((name) => !wanted || wanted.includes(name));
}

function inLines(names: readonly string[]): string {
  return [names.slice(0, 5), names.slice(5)]
    .map((line) => line.join(', '))
    .join(`,\n${' '.repeat(24)}`);
}
