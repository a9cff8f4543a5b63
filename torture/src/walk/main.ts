import { createPaint, type Paint, wantsColour } from '@sendonce/testkit/colours';
import { parseOptions, pickNames, runCommand, UsageError } from '@sendonce/testkit/command-line';
import { ledgerNames, type SystemName, systemNames } from '../systems/names.ts';
import { progressLine } from '../terminal/progress.ts';
import type { CaseResult } from './run-case.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { tableOf, unreachedTextOf } from './table.ts';
import { type Walk, walk } from './walk.ts';

const help = `Kills a worker at every await of the wrapper, one by one, and judges the email each time.

  pnpm torture:points [options]

  --ledger <names>    ${ledgerNames.join(', ')}: some, with commas (default all). A peer, to
                      see what the walk sees: set-nx-lease
  --scenario <text>   only scenarios with this in their name
  --point <text>      only points with this in their name
  --freeze            the process is stopped there instead, and continues when another has taken over
  --json              one JSON object for each case on stdout, and nothing else there
  --help              this text

Exit code: 0 without violations, 1 with, 2 for a wrong command line.
`;

process.exitCode = await runCommand({ parse, help, run: walkAll });
// Timers of a walk that was cut short must not keep it alive.
process.exit();

async function walkAll(values: ReturnType<typeof parse>): Promise<number> {
  const paint = createPaint(wantsColour(process.stdout));
  const walks: Walk[] = [];
  for (const system of values.systems) {
    const progress = progressLine(system, process.stderr);
    const phase = values.action === 'kill' ? 'killing' : 'freezing';
    const done = await walk({
      ...values,
      system,
      scenarios: values.wanted,
      onProgress: (ended, of) => progress.show({ phase, done: ended, of }),
    });
    progress.clear();
    walks.push(done);
    for (const one of [...done.undisturbed, ...done.cases]) {
      if (values.json) process.stdout.write(`${JSON.stringify(jsonOf(system, one))}\n`);
    }
  }
  const wrong = walks.flatMap(({ system, undisturbed, cases }) =>
    [...undisturbed, ...cases].filter(({ violation }) => violation).map((one) => ({ system, one })),
  );
  if (!values.json) {
    process.stdout.write(tableOf(walks, paint));
    if (values.wanted === scenarios) process.stdout.write(unreachedTextOf(walks, paint));
    for (const { system, one } of wrong) process.stdout.write(violationOf(system, one, paint));
  }
  return wrong.length === 0 ? 0 : 1;
}

function parse(argv: readonly string[]) {
  const values = parseOptions(argv, {
    ledger: { type: 'string', default: ledgerNames.join() },
    scenario: { type: 'string' },
    point: { type: 'string' },
    freeze: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  const systems = pickNames('ledger', [values.ledger], systemNames);
  const { point, json, help: asked } = values;
  const action = values.freeze ? ('stop' as const) : ('kill' as const);
  const wanted = values.scenario === undefined ? scenarios : scenariosWith(values.scenario);
  return { systems, wanted, action, point, json, help: asked };
}

function scenariosWith(text: string): Scenario[] {
  const found = scenarios.filter(({ name }) => name.includes(text));
  if (found.length > 0) return found;
  const names = scenarios.map(({ name }) => `\n  ${name}`).join('');
  throw new UsageError(`Expected --scenario to be in one of these names:${names}`);
}

/** What happened, and how to see it again. */
function violationOf(system: SystemName, one: CaseResult, paint: Paint): string {
  const { scenario, aim, outcome, found, history } = one;
  const freeze = aim?.action === 'stop' ? ' --freeze' : '';
  const point = aim?.point === undefined ? '' : ` --point ${quoted(aim.point)}`;
  const again = `pnpm torture:points --ledger ${system} --scenario ${quoted(scenario.name)}${point}${freeze}`;
  return [
    '',
    paint.red(`${system}, ${scenario.name}, ${aim?.point ?? 'undisturbed'}: ${outcome}; ${found}`),
    ...history.map((line) => `  ${line}`),
    `  Again: ${again}`,
    '',
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function jsonOf(system: SystemName, one: CaseResult) {
  const { scenario, aim, struckAt, seenState, outcome, found, violation, history } = one;
  return {
    ledger: system,
    scenario: scenario.name,
    ...(aim && { point: aim.point, visit: aim.passes, action: aim.action }),
    struck: struckAt !== undefined,
    ...(seenState && { ledgerSaid: seenState }),
    outcome,
    found,
    violation,
    ...(violation && { history }),
  };
}
