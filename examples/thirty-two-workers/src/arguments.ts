import { parseOptions, UsageError } from '@sendonce/testkit/command-line';
import { type GuardId, guardIds } from './guards.ts';
import { type ScenarioId, scenarioIds } from './scenarios.ts';

export interface Arguments {
  readonly scenarios: readonly ScenarioId[];
  readonly guards: readonly GuardId[];
  readonly workers: number;
  readonly json: boolean;
  /** Where the HTML page goes. */
  readonly report: string;
  readonly help: boolean;
}

const MOST_WORKERS = 64;

export const help = `32 workers, one email: who sends it once?

  pnpm demo [options]

  --scenario <id>   only these columns (may be repeated):
                    ${inLines(scenarioIds)}
  --guard <id>      only these rows (may be repeated):
                    ${inLines(guardIds)}
  --workers <n>     worker processes, and copies of the job: 1 to ${MOST_WORKERS} (default 32)
  --json            print one JSON object on stdout and nothing else there
  --report <file>   where the HTML page goes (default demo-report.html)
  --help            this text

Redis: REDIS_URL if it is set, otherwise one is found or started. Exit code: 0 if the row of
sendonce is as promised, 1 if not, 2 for a wrong command line, 3 if a cell of another row did not come to
rest: it has a "?", and its figures are not the last ones.
`;

/** @throws {UsageError} */
export function parseArguments(argv: readonly string[]): Arguments {
  const values = parseOptions(argv, {
    scenario: { type: 'string', multiple: true },
    guard: { type: 'string', multiple: true },
    workers: { type: 'string' },
    json: { type: 'boolean' },
    report: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  return {
    scenarios: pick('scenario', scenarioIds, values.scenario),
    guards: pick('guard', guardIds, values.guard),
    workers: parseWorkers(values.workers),
    json: values.json ?? false,
    report: values.report ?? 'demo-report.html',
    help: values.help ?? false,
  };
}

/** The given ones in the order of the table; all when none is given. */
function pick<T extends string>(option: string, allowed: readonly T[], given?: string[]): T[] {
  const wanted = given?.flatMap((value) => value.split(','));
  const unknown = wanted?.find((value) => !allowed.some((id) => id === value));
  if (unknown !== undefined) {
    throw new UsageError(`Unknown --${option} "${unknown}".\nAllowed: ${allowed.join(', ')}.`);
  }
  return allowed.filter((id) => !wanted || wanted.includes(id));
}

function parseWorkers(given = '32'): number {
  const workers = /^\d+$/.test(given) ? Number(given) : 0;
  if (workers >= 1 && workers <= MOST_WORKERS) return workers;
  throw new UsageError(
    `Wrong --workers "${given}".\nAllowed: a whole number from 1 to ${MOST_WORKERS}.`,
  );
}

function inLines(ids: readonly string[]): string {
  const half = ids.length > 5 ? ids.length / 2 : ids.length;
  const lines = [ids.slice(0, half), ids.slice(half)].filter((line) => line.length > 0);
  return lines.map((line) => line.join(', ')).join(`,\n${' '.repeat(20)}`);
}
