import { writeFile } from 'node:fs/promises';
import { createPaint, wantsColour } from '@sendonce/testkit/colours';
import { UsageError } from '@sendonce/testkit/command-line';
import { type Arguments, help, parseArguments } from './arguments.ts';
import { measureCost } from './cost.ts';
import { measureCpu } from './cpu.ts';
import { measureLatency } from './latency.ts';
import { measureLooks } from './look.ts';
import { describeMachine } from './machine.ts';
import { measureMemory } from './memory.ts';
import { createProgress } from './progress.ts';
import { renderPicture } from './report/picture.ts';
import { renderTables } from './report/tables.ts';
import type { Results } from './results.ts';
import { measureSchedule } from './schedule.ts';
import { measureThroughput } from './throughput.ts';

// If run.ts is gone, no server may be left behind.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();

try {
  const args = parseArguments(process.argv.slice(2));
  if (args.help) process.stdout.write(help);
  else await bench(args);
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\nSee --help.` : error);
  process.exitCode = 1;
}

async function bench(args: Arguments): Promise<void> {
  const progress = createProgress(process.stderr);
  try {
    const results = await measure(args, progress);
    progress.clear();
    const paint = createPaint(wantsColour(process.stdout));
    process.stdout.write(
      args.json ? `${JSON.stringify(results)}\n` : renderTables(results, args, paint),
    );
    if (args.picture !== undefined) await writeFile(args.picture, renderPicture(results, args));
  } finally {
    progress.clear();
  }
}

async function measure(
  args: Arguments,
  progress: ReturnType<typeof createProgress>,
): Promise<Results> {
  const wants = (part: Arguments['parts'][number]) => args.parts.includes(part);
  const { cells, servers } = wants('throughput')
    ? await measureThroughput(args, progress)
    : { cells: [], servers: [] };
  const cost = wants('cost')
    ? await measureCost(args, progress)
    : { commandsPerEmail: {}, wireBytesPerEmail: {} };
  const claimLatency = wants('latency') ? await measureLatency(args, progress) : [];
  const bytesPerEmail = wants('memory') ? await measureMemory(args, progress) : {};
  const looks = wants('look') ? await measureLooks(args, progress) : [];
  const schedules = wants('schedule') ? await measureSchedule(args, progress) : [];
  const cpuCosts = wants('cpu') ? await measureCpu(args, progress) : [];
  const machine = await describeMachine(servers);
  return { machine, cells, ...cost, bytesPerEmail, claimLatency, looks, schedules, cpuCosts };
}
