import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  parseWordsAndOptions,
  pickNames,
  UsageError,
  wholeNumber,
} from '@sendonce/testkit/command-line';
import {
  type ProcessorName,
  processorNames,
  type SetupName,
  setupNames,
  usualProcessors,
} from '../names.ts';

export interface CompareArguments {
  /** The folder of the other checkout, which is "before". */
  readonly before: URL;
  readonly rounds: number;
  readonly processors: readonly ProcessorName[];
  readonly setups: readonly SetupName[];
  /** Undefined: each processor has its own number. */
  readonly jobs: number | undefined;
  readonly help: boolean;
}

export const compareHelp = `Compares the throughput of this checkout with that of another one, on one Redis.

  npx tsx bench/compare.ts <other checkout> [options]

Each round measures each cell in two processes, one of each checkout. The order of the two changes
with every round. Each process measures bare BullMQ beside sendonce, three times, and gives the median of the ratios.

  --rounds <n>          rounds of each cell (default 5)
  --processors <names>  ${usualProcessors.join(', ')} (default all three), smtp-50ms
  --setups <names>      ${setupNames.join(', ')} (default all)
  --jobs <n>            jobs of a round (default as in "pnpm bench throughput")
  --help                this text

The other checkout needs its own node_modules. REDIS_URL is used if it is set; otherwise a Redis is
started for the run. All cells with 5 rounds take about half an hour on two quiet cores.
Exit code: 0, 1 if a run failed, 2 for a wrong command line.
`;

/** @throws {UsageError} */
export function parseCompareArguments(argv: readonly string[]): CompareArguments {
  const { values, words } = parseWordsAndOptions(argv, {
    rounds: { type: 'string', default: '5' },
    processors: { type: 'string', multiple: true, default: [...usualProcessors] },
    setups: { type: 'string', multiple: true, default: [...setupNames] },
    jobs: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  });
  const { help } = values;
  return {
    before: help ? pathToFileURL('/') : checkoutAt(words),
    rounds: wholeNumber('rounds', values.rounds, [1, 1000]),
    processors: pickNames('processors', values.processors, processorNames),
    setups: pickNames('setups', values.setups, setupNames),
    jobs: values.jobs === undefined ? undefined : wholeNumber('jobs', values.jobs, [1, 1_000_000]),
    help,
  };
}

function checkoutAt(words: readonly string[]): URL {
  const [folder, ...more] = words;
  if (folder === undefined || more.length > 0) {
    throw new UsageError('Give the folder of one other checkout.');
  }
  const checkout = pathToFileURL(`${resolve(folder)}/`);
  for (const needed of ['bench/run.ts', 'node_modules/tsx']) {
    if (!existsSync(new URL(needed, checkout))) {
      throw new UsageError(`"${folder}" is no checkout of sendonce: it has no ${needed}.`);
    }
  }
  return checkout;
}
