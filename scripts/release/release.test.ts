import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { published, readManifest } from '../published.ts';
import { mergeNotes } from './merge-notes.ts';
import { publishOrder } from './publish.ts';
import { problemsOf, readTarball } from './tarball.ts';

describe('the contents of a tarball', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-tarball-'));

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const map = JSON.stringify({ version: 3, sources: ['../src/index.ts'] });
  const good = {
    'README.md': '# x',
    LICENSE: 'MIT',
    'package.json': '{}',
    'dist/index.js': 'export {};',
    'dist/index.js.map': map,
    'dist/index.d.ts': '/** Docs. */\nexport {};',
    'dist/index.d.ts.map': map,
    'src/index.ts': 'export {};',
  };

  /** Packs as npm does it. */
  async function pack(files: Record<string, string>) {
    const place = mkdtempSync(join(folder, 'package-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(place, 'package', path)), { recursive: true });
      writeFileSync(join(place, 'package', path), text);
    }
    const file = join(place, 'x.tgz');
    execFileSync('tar', ['-czf', file, '-C', place, 'package']);
    return readTarball(file);
  }

  test('are right if each module has code, types, maps and source', async () => {
    const tarball = await pack(good);
    expect(tarball.files.get('LICENSE')).toBe('MIT');
    expect(problemsOf(tarball)).toEqual([]);
  });

  test.each(Object.keys(good).filter((path) => path !== 'dist/index.js'))(
    'are wrong without %s',
    async (path) => {
      const { [path as 'LICENSE']: _, ...files } = good;
      expect(problemsOf(await pack(files))).toContain(`${path} is missing`);
    },
  );

  test('are wrong with a test, a stale module or a script of the store', async () => {
    const more = { 'src/x.lua': '', 'dist/old.js.map': map, 'test/x.test.ts': '' };
    expect(problemsOf(await pack({ ...good, ...more })).toSorted()).toEqual([
      'dist/old.js.map is not wanted',
      'src/x.lua is not wanted',
      'test/x.test.ts is not wanted',
    ]);
  });

  test('are wrong if the types have no docs', async () => {
    const files = { ...good, 'dist/index.d.ts': 'export {};' };
    expect(problemsOf(await pack(files))).toEqual(['the types have no docs']);
  });
});

test('the notes of a release have each entry once, under its heading', () => {
  const one =
    '# a\n\n## 0.2.0\n\n### Minor Changes\n\n- New.\n  Two lines.\n\n## 0.1.0\n\n- Old.\n';
  const two = one.replace(
    '## 0.1.0',
    '### Patch Changes\n\n- Updated dependencies\n  - a@0.2.0\n- Mended.\n\n## 0.1.0',
  );
  expect(mergeNotes('0.2.0', [one, two])).toBe(
    '### Minor Changes\n\n- New.\n  Two lines.\n\n### Patch Changes\n\n- Mended.',
  );
});

test('a package is published after those that it depends on, and sendonce last', () => {
  const names = publishOrder().map(({ name }) => name);
  expect(names).toHaveLength(published.length);
  for (const folder of published) {
    const { name, dependencies = {} } = readManifest(`packages/${folder}`);
    const ours = Object.keys(dependencies).filter((one) => names.includes(one));
    for (const one of ours) expect(names.indexOf(one)).toBeLessThan(names.indexOf(name));
  }
  // release.yml asks npm for it, to see whether everything is published.
  expect(names.at(-1)).toBe('sendonce');
});
