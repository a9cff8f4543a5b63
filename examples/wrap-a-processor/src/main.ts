import { type Outcome, runCopies } from './run-copies.ts';
import { withServers } from '@sendonce/testkit';

const COPIES = 32;
const PROCESSES = 4;

await withServers('wrap', async (servers) => {
  console.log(`${COPIES} copies of one delayed job, ${PROCESSES} worker processes:\n`);
  console.log(row('', 'jobs completed', 'emails'));
  const outcomes: Outcome[] = [];
  for (const worker of ['before', 'after']) {
    const outcome = await runCopies({ worker, processes: PROCESSES, copies: COPIES }, servers);
    console.log(row(worker, outcome.completed, outcome.emails));
    outcomes.push(outcome);
  }
  process.exitCode = outcomes[1]?.emails === 1 ? 0 : 1;
});

function row(name: string, ...figures: (string | number)[]): string {
  return name.padEnd(8) + figures.map((figure) => String(figure).padStart(16)).join('');
}
