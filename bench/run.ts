/**
 * Runs the benchmark as plain JavaScript: tsx keeps function names at run time, which costs every
 * closure of a job and would be measured too.
 *
 *     pnpm bench [throughput] [cost] [latency] [memory] [options]
 */
import { fork } from 'node:child_process';
import { bundleWorker } from '@sendonce/testkit';

const file = await bundleWorker(new URL('./main.ts', import.meta.url));
fork(file, process.argv.slice(2), {
  execArgv: [
    ...process.execArgv.filter((arg) => arg.startsWith('--cpu-prof')),
    // The Redis of the benchmark keeps nothing over a crash, and the ledgers say so.
    '--disable-warning=SENDONCE_DOCTOR',
  ],
}).on('exit', (code) => (process.exitCode = code ?? 1));
