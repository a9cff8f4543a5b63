/**
 * Runs a benchmark as plain JavaScript: tsx keeps function names at run time, which costs every
 * closure of a job and would be measured too.
 *
 *     tsx bench/run.ts throughput [options]
 */
import { fork } from 'node:child_process';
import { bundleWorker } from '@sendonce/testkit';

const [name = 'throughput', ...options] = process.argv.slice(2);
const file = await bundleWorker(new URL(`./${name}.ts`, import.meta.url));
fork(file, options, {
  execArgv: process.execArgv.filter((arg) => arg.startsWith('--cpu-prof')),
}).on('exit', (code) => (process.exitCode = code ?? 1));
