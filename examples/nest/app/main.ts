import { withServers } from '@sendonce/testkit';
import { type Guard, runApp } from './run-app.ts';

const COPIES = 8;

const rows: [what: string, guard: Guard, wanted: number][] = [
  ['neither', 'none', COPIES],
  ['@Once() on process()', 'decorator', 1],
  ['BullModule.workerClass', 'worker class', 1],
];

await withServers('nest', async (servers) => {
  console.log(`${COPIES} copies of one delayed job:\n`);
  console.log(row('', 'jobs completed', 'emails'));
  for (const [what, guard, wanted] of rows) {
    const { completed, emails } = await runApp(guard, COPIES, servers);
    console.log(row(what, completed, emails));
    if (emails !== wanted) process.exitCode = 1;
  }
});

function row(name: string, ...figures: (string | number)[]): string {
  return name.padEnd(24) + figures.map((figure) => String(figure).padStart(16)).join('');
}
