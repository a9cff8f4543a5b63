/**
 * Writes what the published packages say about themselves: the fields of their package.json, a copy
 * of the LICENSE, and links in their READMEs that also work on npm's site. The address of the
 * repository is `repository` in the root package.json; a new address there replaces the old one
 * in all files. `--check` writes nothing, and fails if something would change.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { withAddress } from './repository-address.ts';

const author = 'The sendonce authors';
const keywords = ['bullmq', 'email', 'idempotency', 'deduplication', 'queue', 'worker'];
const ownKeywords: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['delayed-jobs', 'nestjs'],
  cli: ['cli', 'doctor'],
  core: ['idempotency-key'],
  dashboard: ['dashboard', 'express', 'fastify'],
  'ledger-tests': ['conformance', 'testing'],
  mail: ['nodemailer', 'smtp'],
  otel: ['opentelemetry', 'prometheus', 'grafana'],
  postgres: ['postgresql', 'advisory-lock'],
  providers: ['brevo', 'postmark', 'resend', 'sendgrid', 'ses'],
  redis: ['redis', 'valkey', 'ioredis'],
  redlock: ['redis', 'redlock', 'quorum'],
};

type Json = Record<string, unknown>;

const check = process.argv.includes('--check');
const problems: string[] = [];
const rootManifest = readJson('package.json');
const address = String(rootManifest['repository']);
if (!/^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/.test(address) || address.endsWith('.git')) {
  throw new Error(`package.json: repository must be https://github.com/OWNER/NAME, got ${address}`);
}

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && file !== 'pnpm-lock.yaml' && existsSync(file));
const packages = files.filter(
  (file) => /^packages\/[^/]+\/package\.json$/.test(file) && readJson(file)['private'] !== true,
);

replaceOldAddress();
for (const file of packages) {
  const folder = dirname(file);
  writeFields(file, fieldsOf(folder));
  write(`${folder}/LICENSE`, read('LICENSE'));
  const readme = `${folder}/README.md`;
  write(readme, withAbsoluteLinks(read(readme), folder));
  checkLinks(readme);
}

writeFixedGroup();

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${packages.length} packages say ${address}`);

/** The address that was written last is in the packages. */
function replaceOldAddress(): void {
  const { repository } = readJson('packages/core/package.json') as { repository?: { url: string } };
  if (repository === undefined) return;
  const old = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  if (old === address) return;
  for (const file of files) {
    const text = read(file);
    // A file with a NUL is no text.
    if (file !== 'package.json' && !text.includes('\0'))
      write(file, withAddress(text, old, address));
  }
}

/** All published packages have one version. A private one in the group would raise it. */
function writeFixedGroup(): void {
  const file = '.changeset/config.json';
  const names = packages.map((manifest) => String(readJson(manifest)['name'])).toSorted();
  const config = readJson(file);
  if (JSON.stringify(config['fixed']) === JSON.stringify([names])) return;
  if (check) problems.push(`${file}: fixed: run \`pnpm metadata\`.`);
  else writeFileSync(file, JSON.stringify({ ...config, fixed: [names] }, null, 2));
}

function fieldsOf(folder: string): Json {
  const { node } = rootManifest['engines'] as { node: string };
  return {
    keywords: [...keywords, ...(ownKeywords[folder.slice('packages/'.length)] ?? [])].toSorted(),
    homepage: `${address}/tree/main/${folder}#readme`,
    bugs: { url: `${address}/issues` },
    license: rootManifest['license'],
    author,
    repository: { type: 'git', url: `git+${address}.git`, directory: folder },
    engines: { node },
    // Without `src`, the maps of the types lead nowhere
    // (docs/decisions/0032-what-a-tarball-has.md).
    files: ['dist', 'src/**/*.ts', '!src/**/*.d.ts'],
  };
}

function writeFields(file: string, fields: Json): void {
  const manifest = readJson(file);
  const stale = Object.entries(fields).filter(
    ([name, value]) => JSON.stringify(manifest[name]) !== JSON.stringify(value),
  );
  if (stale.length === 0) return;
  if (check) {
    const names = stale.map(([name]) => name).join(', ');
    problems.push(`${file}: ${names}: run \`pnpm metadata\`.`);
    return;
  }
  // `pnpm metadata` formats it afterwards: oxfmt knows the order of the fields.
  writeFileSync(file, JSON.stringify({ ...manifest, ...Object.fromEntries(stale) }, null, 2));
}

/** Links to files of the repository become links to the site of the repository. */
function withAbsoluteLinks(text: string, folder: string): string {
  const absolute = (target: string): string => {
    if (/^(?:[a-z]+:|#|\/)/i.test(target)) return target;
    const [path = '', anchor] = target.split('#');
    const file = normalize(join(folder, path)).replace(/\/$/, '');
    return addressOf(file) + (anchor === undefined ? '' : `#${anchor}`);
  };
  return outsideOfCode(text, (part) =>
    part
      .replaceAll(/(?<=\]\()[^)\s]+(?=[)\s])/g, absolute)
      .replaceAll(/(?<=^\[[^\]]+\]:\s+)\S+/gm, absolute)
      .replaceAll(/(?<=\b(?:src|srcset|href)=")[^"]+(?=")/g, absolute),
  );
}

function outsideOfCode(text: string, change: (part: string) => string): string {
  const parts = text.split(/(^```[^]*?^```$|`[^`\n]*`)/m);
  return parts.map((part, index) => (index % 2 === 0 ? change(part) : part)).join('');
}

function addressOf(file: string): string {
  const raw = address.replace('https://github.com', 'https://raw.githubusercontent.com');
  if (/\.(?:svg|png)$/.test(file)) return `${raw}/main/${file}`;
  const isFolder = existsSync(file) && statSync(file).isDirectory();
  return `${address}/${isFolder ? 'tree' : 'blob'}/main/${file}`;
}

/** A link to a file of this repository must lead to one. */
function checkLinks(file: string): void {
  const raw = address.replace('https://github.com', 'https://raw.githubusercontent.com');
  for (const [, target = ''] of read(file).matchAll(/\]\((https:[^)\s#]+)/g)) {
    const [, path] =
      /^\/(?:(?:blob|tree)\/)?main\/(.+)/.exec(
        target.startsWith(raw) ? target.slice(raw.length) : target.replace(address, ''),
      ) ?? [];
    if (path !== undefined && !existsSync(path)) problems.push(`${file}: ${path} does not exist.`);
  }
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

function readJson(file: string): Json {
  return JSON.parse(read(file)) as Json;
}

function write(file: string, text: string): void {
  if (existsSync(file) && read(file) === text) return;
  if (check) problems.push(`${file}: run \`pnpm metadata\`.`);
  else writeFileSync(file, text);
}
