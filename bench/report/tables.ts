import type { Paint } from '@sendonce/testkit/colours';
import type { Arguments } from '../arguments.ts';
import type { ProcessorName } from '../names.ts';
import { type Cell, type MemoryForm, type Results, setups, type Spread } from '../results.ts';
import { systems } from '../systems/index.ts';
import { align } from './align.ts';

/** All that was measured, as aligned tables. */
export function renderTables(results: Results, args: Arguments, paint: Paint): string {
  const parts = [machineLine(results)];
  for (const processor of args.processors) {
    const cells = results.cells.filter((cell) => cell.processor === processor);
    if (cells.length > 0) parts.push(throughputTable(processor, cells, args, paint));
  }
  if (results.cells.length > 0)
    parts.push(
      'Jobs per second as a ratio to bare BullMQ in the same round: median (lowest-highest).',
    );
  if (args.parts.includes('cost')) parts.push(costTable(results, args));
  if (results.claimLatency.length > 0) parts.push(latencyTable(results));
  if (args.parts.includes('memory')) parts.push(memoryTable(results));
  if (results.looks.length > 0) parts.push(lookTable(results));
  if (results.schedules.length > 0) parts.push(scheduleTable(results));
  if (results.cpuCosts.length > 0) parts.push(cpuTable(results));
  return `${parts.join('\n\n')}\n`;
}

function machineLine({ machine }: Results): string {
  const { cores, cpu, memoryGb, node, servers } = machine;
  return [`${cores} × ${cpu}, ${memoryGb} GB`, `Node ${node}`, ...servers].join('; ');
}

function throughputTable(
  processor: ProcessorName,
  cells: readonly Cell[],
  args: Arguments,
  paint: Paint,
): string {
  const columns = args.setups.map((name) => setups[name]);
  const cellAt = (system: string | undefined, concurrency: Cell['concurrency']) =>
    cells.find((cell) => cell.concurrency === concurrency && (!system || cell.system === system))!;
  const bare = columns.map(({ concurrency }) => cellAt(undefined, concurrency).bareJobsPerSecond);
  const rows = args.systems.map((system) => {
    const texts = columns.map(({ concurrency }) => {
      const { ratio, from, to } = cellAt(system, concurrency);
      return `${ratio.toFixed(2)} (${from.toFixed(2)}-${to.toFixed(2)})`;
    });
    return [systems[system].title, ...texts];
  });
  const head = [`${processor} processor`, ...columns.map(({ title }) => title)];
  const bareRow = ['bare BullMQ, jobs/s', ...bare.map((rate) => rate.toLocaleString('en'))];
  return align([head, bareRow, ...rows], (text, row) => (row < 2 ? text : ratioIn(text, paint)));
}

/** As dear as half the throughput is red, as cheap as a tenth is green. */
function ratioIn(text: string, paint: Paint): string {
  const ratio = Number.parseFloat(text);
  if (ratio >= 0.9) return paint.green(text);
  return ratio >= 0.5 ? paint.yellow(text) : paint.red(text);
}

function costTable({ commandsPerEmail, wireBytesPerEmail }: Results, args: Arguments): string {
  const head = ['for each email, beyond bare BullMQ', 'commands', 'bytes on the wire'];
  const rows = args.systems.map((system) => [
    systems[system].title,
    (commandsPerEmail[system] ?? NaN).toFixed(2),
    (wireBytesPerEmail[system] ?? NaN).toLocaleString('en'),
  ]);
  const note =
    'One worker of concurrency 1, where no two emails share a command. Counted are the commands and statements\n' +
    'that clients send, and bytes in both directions, over all servers of a system.';
  return `${align([head, ...rows])}\n${note}`;
}

function memoryTable({ bytesPerEmail }: Results): string {
  const bytes = (form: MemoryForm) => (bytesPerEmail[form] ?? NaN).toFixed(1);
  return align([
    ['Redis memory of each settled email', 'bytes'],
    ['without texts', bytes('withoutTexts')],
    ['with queue and job, as once() writes it', bytes('withJob')],
    ['by delayedEmails(), with its Message-ID', bytes('scheduled')],
    ['queue and job, and its history in a journal', bytes('withJournal')],
  ]);
}

function latencyTable({ claimLatency }: Results): string {
  const rows = claimLatency.map(({ records, p50Ms, p99Ms }) => [
    records.toLocaleString('en'),
    p50Ms.toFixed(3),
    p99Ms.toFixed(3),
  ]);
  return align([['settled emails in the Redis ledger', 'claim p50, ms', 'p99, ms'], ...rows]);
}

function lookTable({ looks }: Results): string {
  const rows = looks.map(({ question, records, medianMs, longestMs, slowestCommandMs }) => [
    question,
    records.toLocaleString('en'),
    medianMs.toFixed(1),
    longestMs.toFixed(1),
    slowestCommandMs.toFixed(3),
  ]);
  return align([
    ['asked', 'settled emails', 'median, ms', 'longest, ms', 'slowest command, ms'],
    ...rows,
  ]);
}

function scheduleTable({ schedules }: Results): string {
  const rows = schedules.map((one) => [
    one.call,
    one.beside,
    `${one.ratio.toFixed(2)} (${one.from.toFixed(2)}-${one.to.toFixed(2)})`,
    `${one.cpuUs.toFixed(0)} (${one.bareCpuUs.toFixed(0)})`,
    `${one.commands.toFixed(1)} (${one.bareCommands.toFixed(1)})`,
  ]);
  const head = ['method', 'beside', 'emails per second, ratio', 'CPU, us', 'Redis commands'];
  const note =
    'Emails per second as a ratio to BullMQ in the same round: median (lowest-highest). CPU of the producer and\n' +
    'commands of Redis, also inside scripts, for each email; of BullMQ alone in parentheses.';
  return `${align([head, ...rows])}\n${note}`;
}

function cpuTable({ cpuCosts }: Results): string {
  const spread = ({ median, from, to }: Spread) =>
    `${median.toFixed(2)} (${from.toFixed(2)}-${to.toFixed(2)})`;
  const rows = cpuCosts.map((one) => [
    one.system,
    String(one.concurrency),
    spread(one.throughput),
    spread(one.workerCpu),
    one.workerUs.toFixed(0),
    one.redisUs.toFixed(0),
    one.scripts.toFixed(2),
    one.readsAndWrites.toFixed(1),
  ]);
  const head = [
    'smtp',
    'at once',
    'emails/s',
    'worker CPU',
    'us',
    'Redis, us',
    'scripts',
    'I/O calls',
  ];
  const note =
    'Emails per second and CPU of the worker as ratios to bare BullMQ in the same round: median (lowest-highest).\n' +
    'For each email: CPU of the worker and of the Redis of the queue, calls of scripts, reads and writes of the worker.';
  return `${align([head, ...rows])}\n${note}`;
}
