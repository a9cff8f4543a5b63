import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FreshProject } from './fresh-project.ts';
import type { PageServers } from './page-servers.ts';
import { type Block, type Command, nameOf, root } from './page.ts';

/** The result of one block or command: what it did, or what went wrong. */
export interface Ran {
  readonly did?: string;
  readonly error?: string;
}

/** What `fixtures/pages/run-block.mjs` says after two jobs for the email to bob, of order 4711. */
const twoCopies = 'two copies of a job completed';

interface Report {
  readonly done: string[];
  /** What a stand-in of `fixtures/pages/yours.mjs` was asked to send. */
  readonly sent: string[];
}

/** Runs a compiled block unchanged, in a new process in the fresh project. */
export async function runBlock(
  project: FreshProject,
  block: Block,
  servers: PageServers,
): Promise<Ran> {
  await servers.forget();
  const ours = project.page.installs
    .map(nameOf)
    .find((name) => /^(@sendonce\/|sendonce$)/.test(name));
  const { code } = block;
  const file = project.compiledFile(block);
  const child = fork(join(project.folder, 'out/run-block.mjs'), {
    cwd: project.folder,
    // A newer Node may deprecate what a client uses. Our own warnings fail the page.
    execArgv: ['--import', './out/network.mjs', '--disable-warning=DeprecationWarning'],
    silent: true,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      ...(await servers.environment(code)),
      PAGE_BLOCK: JSON.stringify({ file, code, ours, redisPort: servers.redisPort }),
    },
  });
  let report: Report | undefined;
  child.on('message', (message) => (report = message as Report));
  const { exitCode, stderr } = await ended(child);
  if (report === undefined || exitCode !== 0 || stderr !== '') {
    return { error: `ended with ${exitCode ?? 'SIGKILL after 40 s'}\n${stderr}` };
  }
  const emails = [...servers.emails(), ...report.sent];
  const ofCopies = emails.filter((email) => /bob@example\.org|4711/.test(email)).length;
  if (report.done.includes(twoCopies)) {
    const wanted = /sendMail|fetch\(|declare function (?:send|processor)/.test(code) ? 1 : 0;
    if (ofCopies !== wanted) {
      return { error: `two copies of a job sent ${ofCopies} emails, and not ${wanted}` };
    }
  }
  const sent = emails.length > 0 ? [`emails sent: ${emails.length}`] : [];
  return { did: ['ran', ...report.done, ...sent].join('; ') };
}

/** Runs a command line of the page, such as `sendonce status`. */
export async function runCommand(
  project: FreshProject,
  { text, env }: Command,
  servers: PageServers,
): Promise<Ran> {
  const environment = { ...(await servers.environment(text)), ...env };
  const { exitCode, stdout, stderr } = await runInShell(project, text, environment);
  // 1: a negative result. 4: nothing is known, because this Redis has no emails.
  if (exitCode === 0 || exitCode === 1 || exitCode === 4)
    return { did: `${text}: exit code ${exitCode}` };
  return { error: `${text}: exit code ${exitCode}\n${stdout}${stderr}` };
}

/** Whether a block is a file of tests, for vitest or `node:test`. */
export function isTestFile({ code }: Block): boolean {
  return /from '(?:vitest|node:test)'|describeLedger\(/.test(code);
}

/** Runs the tests of a block. */
export async function runTests(
  project: FreshProject,
  block: Block,
  servers: PageServers,
): Promise<Ran> {
  const file = project.compiledFile(block).replace(/js$/, 'test.js');
  await copyFile(project.compiledFile(block), file);
  const environment = await servers.environment(block.code);
  const command = block.code.includes("from 'node:test'")
    ? `node --test --test-reporter=tap ${file}`
    : `vitest run --reporter=json ${file}`;
  const { exitCode, stdout, stderr } = await runInShell(project, command, environment);
  const passed = Number(/(?:"numPassedTests":|# pass )(\d+)/.exec(stdout)?.[1]);
  // A suite that the block calls has tests which the block does not show.
  const shown = block.code.match(/^test\(/gm)?.length;
  if (exitCode === 0 && passed > 0 && passed === (shown ?? passed)) {
    return { did: `its ${passed} tests passed` };
  }
  return {
    error: `its tests ended with ${exitCode}, ${passed} passed\n${stdout.slice(0, 4000)}${stderr}`,
  };
}

/** The `sendonce.config.mjs` of a page: the command reads it as it is on the page. */
export async function runConfig(
  project: FreshProject,
  block: Block,
  servers: PageServers,
): Promise<Ran> {
  const name = configName(block)!;
  const file = join(project.folder, name);
  await copyFile(project.sourceFile(block), file);
  const environment = await servers.environment(block.code);
  const { exitCode, stderr } = await runInShell(project, 'sendonce status', environment);
  await rm(file);
  // 4: nothing is known in that place, which has no emails yet.
  if (exitCode === 0 || exitCode === 4) return { did: `saved as ${name}: sendonce status used it` };
  return { error: `saved as ${name}: sendonce status ended with ${exitCode}\n${stderr}` };
}

async function runInShell(
  { folder }: FreshProject,
  command: string,
  env: Readonly<Record<string, string>>,
) {
  const path = `${join(folder, 'node_modules/.bin')}:${process.env['PATH']}`;
  const options = { NODE_OPTIONS: '--import ./out/network.mjs', NO_COLOR: '1', PATH: path };
  return ended(
    spawn(command, {
      cwd: folder,
      shell: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, ...options },
    }),
  );
}

export function configName({ code }: Block): string | undefined {
  return /^\/\/ (sendonce\.config\.\w+)/.exec(code)?.[1];
}

async function ended(child: ReturnType<typeof spawn>) {
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 40_000);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearTimeout(tooLong);
  return { exitCode, stdout, stderr: stderr.replaceAll(root, '') };
}
