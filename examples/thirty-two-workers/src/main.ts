import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Arguments, help, parseArguments } from './arguments.ts';
import { sortResults } from './headline.ts';
import { renderReport } from './report/report.ts';
import { count } from './plural.ts';
import type { CellResult } from './run-cell.ts';
import { startDemo } from './run-demo.ts';
import { createPaint, wantsColour } from '@sendonce/testkit/colours';
import { runCommand } from '@sendonce/testkit/command-line';
import { renderDoubts } from './terminal/doubts.ts';
import { createProgress } from './terminal/progress.ts';
import { renderTable } from './terminal/table.ts';
import { isPromiseKept, isRestless } from './verdict.ts';

process.exitCode = await runCommand({ parse: parseArguments, help, run: show });

async function show(args: Arguments): Promise<number> {
  const startMs = performance.now();
  const progress = createProgress(process.stderr, args.json ? process.stderr : process.stdout);
  const demo = startDemo(args, progress);
  const interrupted = endOnSignal(async () => {
    progress.line('interrupted: cleaning up');
    await demo.cleanUp();
  });
  let failed = false;
  try {
    await demo.run;
  } catch (error) {
    if (interrupted.aborted) return 1;
    failed = true;
    progress.line(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    if (!interrupted.aborted) progress.say('cleaning up');
    await demo.cleanUp();
    progress.clear();
  }
  if (interrupted.aborted) return 1;

  // The cells that were measured before a failure are shown, too.
  const results = sortResults(demo.results, args);
  if (failed && results.length === 0) return 1;
  const seconds = (performance.now() - startMs) / 1000;
  process.stdout.write(args.json ? renderJson(args, results) : renderText(args, results));
  const path = resolve(args.report);
  await writeFile(path, renderReport({ ...args, results, seconds }));
  const all = args.scenarios.length * args.guards.length;
  progress.line(
    `${failed ? `${results.length} of ${all}` : all} cells in ${seconds.toFixed(0)} s. Swim lanes: ${path}`,
  );
  return failed ? 1 : exitCodeFor(results);
}

/** A row of sendonce that is not as promised matters more than another one that is not known. */
function exitCodeFor(results: readonly CellResult[]): number {
  if (!isPromiseKept(results)) return 1;
  return results.some(isRestless) ? 3 : 0;
}

function renderRestless(results: readonly CellResult[]): string {
  const restless = results.filter(isRestless);
  if (restless.length === 0) return '';
  const names = restless.map(({ cell }) => `${cell.scenario} / ${cell.guard}`).join(', ');
  return `${count(restless.length, 'cell')} did not come to rest (?): ${names}. Run the demo again when this machine is less busy.`;
}

function renderJson({ workers }: Arguments, results: readonly CellResult[]): string {
  return `${JSON.stringify({ workers, cells: results.map(({ cell }) => cell) })}\n`;
}

function renderText(args: Arguments, results: readonly CellResult[]): string {
  const paint = createPaint(wantsColour(process.stdout));
  const columns = process.stdout.columns ?? 120;
  const doubts = results.flatMap((result) => result.doubts);
  const table = renderTable({ ...args, results, paint, columns });
  const parts = [table, renderRestless(results), renderDoubts(doubts, paint)];
  return parts.map((part) => (part === '' ? '' : `\n${part}\n`)).join('') + '\n';
}

/** Ctrl-C ends everything that was started; a second one does not wait. */
function endOnSignal(cleanUp: () => Promise<void>): AbortSignal {
  const interruption = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      const end = () => process.exit(code);
      if (interruption.signal.aborted) end();
      interruption.abort();
      void cleanUp().finally(end);
    });
  }
  return interruption.signal;
}
