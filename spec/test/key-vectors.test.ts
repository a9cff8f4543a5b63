import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { delayedEmails, once } from '../../packages/bullmq/src/index.ts';
import { deriveKey, memoryLedger } from '../../packages/core/src/index.ts';
import { canonicalJson } from '../../packages/core/src/keys.ts';
import { makeVectors, refusalOf, sourceOf, type Vectors } from '../make-vectors.ts';
import { refusedInJavaScript } from '../vector-cases.ts';
import { randomDoubles, randomInputs } from './random-inputs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const spec = join(root, 'spec');
const vectors = JSON.parse(readFileSync(join(spec, 'key-vectors.json'), 'utf8')) as Vectors;

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'sendonce-spec-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('core agrees with the vectors', () => {
  test.each(vectors.keys)('$name', (vector) => {
    const source = sourceOf(vector);
    const digest = createHash('sha256').update(vector.canonical, 'utf8').digest();
    expect(canonicalJson(source)).toBe(vector.canonical);
    expect(digest.toString('hex')).toBe(vector.sha256);
    expect(deriveKey(source)).toBe(vector.key);
    expect(vector.key).toBe(digest.toString('base64url', 0, 16));
  });

  test.each(vectors.refused)('refused: $name', (vector) => {
    expect(refusalOf(sourceOf(vector))).toEqual({ path: vector.path, why: vector.why });
  });

  test.each(vectors.refusedInJavaScript)('refused in JavaScript: $name', ({ name, path, why }) => {
    const input = refusedInJavaScript.find((candidate) => candidate.name === name);
    expect(refusalOf(input?.value)).toEqual({ path, why });
  });

  test('no two names, and no two keys of different JSON', () => {
    const names = [...vectors.keys, ...vectors.refused].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const texts = new Set(vectors.keys.map(({ canonical }) => canonical));
    expect(new Set(vectors.keys.map(({ key }) => key)).size).toBe(texts.size);
  });
});

// Computed by other tools: printf '…' | openssl dgst -sha256 -binary | head -c 16 | openssl base64
test.each([
  ['["delivery-notice",1042,"ada@example.org"]', 'X1faUx3NbocEVz5hQ09Cxg'],
  ['[["delivery-notice",1042,"ada@example.org"],{"occurrence":2}]', 'x7k2EzNg4yBWHj0jyhyEyw'],
  ['[["weekly-digest","ada@example.org"],"repeat:digest:1795597200000"]', 'l6-Em1tZgufb3nZaLck_ag'],
  ['["n",1e-7]', '4nE_K5UXf4TVyRLr8M2SGQ'],
  ['["n",9007199254740991]', 'dEEVJ7bohBZxFmX3dJK7Iw'],
  ['["cafe\u0301"]', 'hPqrooxTfvIKobB8dn_1xQ'],
  ['{"\ud7ff":4,"\u{1f600}":2,"\ue000":3,"\uffee":1}', 'ifRad14ajRrn041dHHHkeA'],
])('openssl gives the same key for %s', (canonical, key) => {
  const found = vectors.keys.filter((vector) => vector.canonical === canonical);
  expect(new Set(found.map((vector) => vector.key))).toEqual(new Set([key]));
});

test('a job of a job scheduler has the key of its iteration', async () => {
  const vector = vectors.keys.find(({ iteration }) => iteration !== undefined)!;
  const ledger = memoryLedger();
  const wrapped = once(async () => 'sent', { ledger, key: () => vector.selected });
  await wrapped({
    id: vector.iteration,
    repeatJobKey: 'digest',
    queueName: 'digests',
    data: {},
    timestamp: Date.now(),
    attemptsMade: 0,
    opts: {},
    log: async () => {},
    moveToDelayed: async () => {},
  });
  expect(await ledger.read(vector.key)).toMatchObject({ state: 'sent' });
});

test.each(vectors.keys.filter(({ occurrence }) => occurrence !== undefined))(
  'delayedEmails() gives the key of $name',
  ({ selected, occurrence, key }) => {
    const none = async () => undefined;
    const queue = {
      name: 'notices',
      add: none,
      addBulk: none,
      getJob: none,
      toKey: (type: string) => type,
    };
    const emails = delayedEmails<{ selected: unknown }>(queue, {
      ledger: memoryLedger(),
      key: (data) => data.selected,
    });
    expect(emails.keyOf({ selected }, { occurrence })).toBe(key);
  },
);

describe('the file of vectors', () => {
  test('is what core gives today', async () => {
    expect(vectors).toEqual(JSON.parse(JSON.stringify(makeVectors())));
    expect(await check()).toMatchObject({ code: 0 });
  });

  test('is found stale by --check where it differs', async () => {
    const path = written('stale.json', changed(vectors, { key: 'AAAAAAAAAAAAAAAAAAAAAA' }));
    expect(await check(path)).toMatchObject({ code: 1, stderr: expect.stringContaining('stale') });
  });

  function check(...path: string[]) {
    const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
    return run(process.execPath, [tsx, join(spec, 'make-vectors.ts'), '--check', ...path]);
  }
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.skipIf(!hasPython)(`Python${hasPython ? '' : ' (skipped: no python3 here)'}`, () => {
  test('agrees with all vectors', async () => {
    const count = vectors.keys.length + vectors.refused.length + vectors.places.length;
    expect(await python(join(spec, 'key-vectors.json'))).toEqual(agreed(count));
  });

  test('agrees with core on 2000 random values', async () => {
    const inputs = randomInputs(2000, 20_240_417);
    expect(await python(written('random.json', vectorsOf(inputs)))).toEqual(agreed(2000));
  });

  test('agrees with core on 20 000 random doubles', async () => {
    const inputs = Array.from({ length: 20 }, (_, seed) => randomDoubles(1000, seed));
    expect(await python(written('doubles.json', vectorsOf(inputs)))).toEqual(agreed(20));
  });

  test.each([
    ['key', { key: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['canonical', { canonical: '["other"]' }],
    ['sha256', { sha256: '00' }],
  ])('ends with an error at a difference in %s', async (name, change) => {
    const { code, stdout } = await python(written(`${name}.json`, changed(vectors, change)));
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^differs: three strings: ${name} is `));
  });

  test('ends with an error where it refuses at another path', async () => {
    const [first, ...rest] = vectors.refused;
    const path = written('path.json', {
      ...vectors,
      refused: [{ ...first, path: 'key[7]' }, ...rest],
    });
    expect(await python(path)).toMatchObject({ code: 1, stdout: expect.stringContaining('null') });
  });

  test('prints the key of what it reads from its input', async () => {
    const selected = ['caf\u00e9', 1042, '\u{1f4e7}'];
    const wanted = { code: 0, stdout: deriveKey(selected), stderr: '' };
    expect(await python('-', JSON.stringify(selected))).toEqual(wanted);
  });

  test.each([
    ['["ada@secret.example",{"to":"secret","at":null}]', 'refused: "key[1].at" is null'],
    ['["secret\\ud800"]', 'refused: "key[0]" is not well-formed Unicode (a lone surrogate)'],
    ['["secret", 1e999]', 'refused: "key[1]" is Infinity'],
    ['["secret", NaN]', 'refused: the input is not JSON in UTF-8'],
    [Buffer.from('["secret\u00e9"]', 'latin1'), 'refused: the input is not JSON in UTF-8'],
    ['["secret"', 'refused: the input is not JSON in UTF-8'],
    ['['.repeat(100_000), 'refused: the input is not JSON in UTF-8'],
  ])('refuses an input without showing it', async (input, message) => {
    expect(await python('-', input)).toEqual({ code: 1, stdout: '', stderr: message });
  });

  test('refuses what only Python can say, and takes what is the same in it', async () => {
    const code = readFileSync(join(spec, 'test/python_values.py'), 'utf8');
    expect(await run('python3', ['-c', code], { PYTHONPATH: spec })).toEqual({
      code: 0,
      stdout: 'good',
      stderr: '',
    });
  });

  async function python(path: string, input: string | Buffer = '') {
    // Its result must not depend on the locale of the machine.
    return run('python3', [join(spec, 'sendonce_key.py'), path], { LC_ALL: 'C' }, input);
  }
});

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function agreed(count: number): Run {
  return { code: 0, stdout: `${count} agree`, stderr: '' };
}

function run(
  file: string,
  args: string[],
  env: object = {},
  input: string | Buffer = '',
): Promise<Run> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env } };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      const code = error ? Number(error.code ?? -1) : 0;
      resolve({ code, stdout: stdout.trim(), stderr: stderr.trim() });
    });
    // It may have ended before it read all of it.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

function written(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

function changed({ keys, ...others }: Vectors, change: object): unknown {
  const [first, ...rest] = keys;
  return { ...others, keys: [{ ...first, ...change }, ...rest] };
}

function vectorsOf(selections: readonly unknown[]): unknown {
  const keys = selections.map((selected, index) => ({
    name: `random ${index}`,
    selected,
    canonical: canonicalJson(selected),
    key: deriveKey(selected),
  }));
  return { keys, refused: [] };
}
