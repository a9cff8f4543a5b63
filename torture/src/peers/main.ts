import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createPaint, wantsColour } from '@sendonce/testkit/colours';
import { runCommand } from '@sendonce/testkit/command-line';
import { movingLine } from '@sendonce/testkit/moving-line';
import { help, parseArguments, type PeersArguments } from './arguments.ts';
import { fieldOf } from './field.ts';
import { writeInto } from './markdown.ts';
import { type Cell, type PeersRun, runPeers } from './run.ts';
import { legendOf, renderTable } from './terminal.ts';
import { machine, packagesOf } from './versions.ts';

const page = fileURLToPath(new URL('../../../docs/peers.md', import.meta.url));

process.exitCode = await runCommand({ parse: parseArguments, help, run: runAll });
// Timers of a run that was cut short must not keep it alive.
process.exit();

async function runAll(args: PeersArguments): Promise<number> {
  const startedMs = performance.now();
  const run = await runPeers({ ...args, onCell: progress(args, startedMs) });
  const tookMs = performance.now() - startedMs;
  process.stdout.write(args.json ? asJson(args, run) : asText(args, run));
  if (args.write) {
    await writeFile(page, writeInto(await readFile(page, 'utf8'), { ...args, ...run, tookMs }));
    process.stderr.write(`Written: ${page}\n`);
  }
  return 0;
}

function asJson({ emails, systems }: PeersArguments, run: PeersRun): string {
  const { version: node } = process;
  const about = { emails, node, packages: packagesOf(systems), machine: machine() };
  return `${JSON.stringify({ ...about, ...run })}\n`;
}

function asText(args: PeersArguments, run: PeersRun): string {
  const paint = createPaint(wantsColour(process.stdout));
  const columns = process.stdout.columns ?? 120;
  return [
    '',
    'Emails sent per key (expected: 1). "lost": none was sent, and no job failed or was listed.',
    '"person": the email is in doubt and listed, or its job failed.',
    '',
    renderTable({ ...args, cells: run.cells, paint, columns }),
    '',
    legendOf(args.systems),
    '',
    packagesOf(args.systems).join(', '),
    `Node ${process.version}; ${run.servers.join('; ')}; ${machine()}`,
    '',
  ].join('\n');
}

/** A line for each field; on a terminal one line that changes. */
function progress(args: PeersArguments, startedMs: number): (cell: Cell) => void {
  const of = args.systems.length * args.faults.length;
  const moving = movingLine(process.stderr);
  let done = 0;
  return (cell) => {
    done += 1;
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    const line = `${done}/${of}  ${seconds} s  ${cell.system}, ${cell.fault}: ${fieldOf(cell)}`;
    if (moving.moves) moving.show(line);
    else process.stderr.write(`${line}\n`);
    if (done === of) moving.clear();
  };
}
