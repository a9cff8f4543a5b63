import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createPaint, wantsColour } from '@sendonce/testkit/colours';
import { runCommand } from '@sendonce/testkit/command-line';
import { type Arguments, help, parseArguments } from './arguments.ts';
import type { Progress } from './progress.ts';
import { renderReport } from './report/report.ts';
import { type Run, run } from './run.ts';
import { soak } from './soak.ts';
import { isLedgerName, type SystemName } from './systems/names.ts';
import { progressLine } from './terminal/progress.ts';
import { round, soakSummaryOf, summaryOf } from './terminal/summary.ts';

process.exitCode = await runCommand({
  parse: parseArguments,
  help,
  run: (args) => (args.soak ? soakAll(args) : runAll(args)),
});
// Timers of a run that was cut short must not keep it alive.
process.exit();

async function runAll(args: Arguments): Promise<number> {
  const runs: Run[] = [];
  const paint = createPaint(wantsColour(process.stdout));
  for (const system of args.systems) {
    const { seed, emails, workers, minutes } = args;
    const progress = progressLine(`${system}, seed ${seed}`, process.stderr);
    const forMs = minutes * 60_000;
    const onProgress = (seen: Progress) => progress.show(seen);
    const done = await run({ system, seed, emails, workers, forMs, onProgress });
    progress.clear();
    runs.push(done);
    process.stdout.write(
      args.json ? `${JSON.stringify(done)}\n` : summaryOf(done, commandOf(system, args), paint),
    );
  }
  const path = resolve(args.report);
  await writeFile(
    path,
    renderReport(runs, (system) => commandOf(system, args)),
  );
  (args.json ? process.stderr : process.stdout).write(`What was done, and timelines: ${path}\n`);
  return runs.every(({ violations }) => violations.length === 0) ? 0 : 1;
}

async function soakAll(args: Arguments): Promise<number> {
  const { seed, workers, minutes, json } = args;
  const paint = createPaint(wantsColour(process.stdout));
  let allFlat = true;
  for (const ledger of args.systems.filter(isLedgerName)) {
    if (!json) process.stdout.write(`${ledger}\n  minute  emails  heap MB  handles  files  keys\n`);
    const result = await soak({
      ledger,
      seed,
      workers,
      emailsPerSecond: args.emails,
      forMs: minutes * 60_000,
      onSample(sample) {
        if (json) return;
        const { minute, emails, heapMb, resources, openFiles, keys } = sample;
        const row = [minute, emails, heapMb, resources, openFiles, keys].map(round);
        const widths = [8, 8, 9, 9, 7, 6];
        const cells = row.map((cell, index) => cell.padStart(widths[index]!));
        process.stdout.write(`${cells.join('')}\n`);
      },
    });
    allFlat &&= result.flat;
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : soakSummaryOf(result, paint));
  }
  return allFlat ? 0 : 1;
}

function commandOf(system: SystemName, { seed, emails, workers, minutes }: Arguments): string {
  const options = { ledger: system, seed, emails, workers, minutes };
  const words = Object.entries(options).map(([name, value]) => `--${name} ${value}`);
  return `pnpm torture ${words.join(' ')}`;
}
