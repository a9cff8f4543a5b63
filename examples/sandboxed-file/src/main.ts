import { withServers } from '@sendonce/testkit';
import { type Jobs, runJobs } from './run-jobs.ts';

const rows: [what: string, jobs: Jobs][] = [
  ['8 copies, child processes', { copies: 8, useWorkerThreads: false }],
  ['8 copies, worker threads', { copies: 8, useWorkerThreads: true }],
  ['any error before the email', { copies: 1, useWorkerThreads: false, fails: 'with any error' }],
  [
    'NotSentError before the email',
    { copies: 1, useWorkerThreads: false, fails: 'with NotSentError' },
  ],
];

await withServers('sandbox', async (servers) => {
  // Child processes and worker threads inherit it.
  process.env['SMTP_URL'] = servers.smtp.url;
  console.log(`\n${row('', 'completed', 'emails', 'in doubt')}`);
  for (const [what, jobs] of rows) {
    const { completed, emails, inDoubt } = await runJobs(jobs, servers);
    console.log(row(what, completed, emails, inDoubt));
    // Never twice and never dropped silently: an email that was not sent is listed.
    if (emails + inDoubt !== 1) process.exitCode = 1;
  }
});

function row(name: string, ...figures: (string | number)[]): string {
  return name.padEnd(30) + figures.map((figure) => String(figure).padStart(10)).join('');
}
