import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from './files.ts';
import { lint } from './lint.ts';
import { wrapComments } from './wrap.ts';

const LONG = 'word '.repeat(25).trim();

/** The findings of a source as `line:column found`. */
function find(path: string, source: string): string[] {
  return lint(path, source).map(({ line, column, found }) => `${line}:${column} ${found}`);
}

test.each([
  'nobody',
  'somebody',
  'whoever',
  'whatever',
  'told',
  'is said',
  'stands',
  'as ever',
  'by itself',
  'seen to',
  'of its own',
  'goes on',
  'beforehand',
  'what it is for',
  'in silence',
  'taken for',
])('the prose linter finds "%s" and offers a better wording', (word) => {
  const [finding] = lint('docs/page.md', `A page with ${word} in it.\n`);
  expect(finding).toMatchObject({ rule: 'word', line: 1, column: 13, found: word });
  expect(finding!.better).not.toBe('');
});

test('the prose linter finds words in the text, tables and headings of Markdown', () => {
  const source = '# Nobody\n\nSo **nobody** knows.\n\n| a |\n| - |\n| nobody |\n\n- [nobody](a)\n';
  expect(find('a.md', source)).toEqual(['1:3 Nobody', '3:6 nobody', '7:3 nobody', '9:4 nobody']);
});

test('the prose linter finds a phrase that is broken over lines', () => {
  expect(find('a.md', 'It runs by\nitself.\n')).toEqual(['1:9 by itself']);
  expect(find('a.ts', '// It runs by\n// itself.\n')).toEqual(['1:12 by itself']);
  expect(find('a.ts', '/**\n * It runs by\n * itself.\n */\n')).toEqual(['2:12 by itself']);
  const published = "throw new Error('It runs by ' +\n  'itself.');\n";
  expect(find('packages/core/src/a.ts', published)).toEqual(['1:26 by itself']);
});

test('the prose linter lets code in Markdown, docstrings and strings off', () => {
  const markdown = 'The option `nobody`, and <https://nobody.example>.\n\n```ts\nnobody\n```\n';
  expect(find('a.md', markdown)).toEqual([]);
  expect(find('a.ts', '/**\n * `nobody`\n * ```ts\n * nobody()\n * ```\n */\n')).toEqual([]);
  const strings =
    "import a from 'told by';\nconst told = ['told', `${told}`, 'Use `told` here'];\n";
  expect(find('packages/core/src/a.ts', strings)).toEqual(['1:16 told']);
});

test('the prose linter lets the standard use of a word off', () => {
  expect(find('a.md', 'A stand-by, which stands for it, is taken for 30 s.\n')).toEqual([]);
});

test('the prose linter finds words in docstrings and comments of TypeScript', () => {
  const source = '/** Nobody. */\nconst a = 1; // nobody\n/* nobody */\n';
  const kinds = lint('bench/a.ts', source).map(({ kind }) => kind);
  expect(kinds).toEqual(['docstring', 'comment', 'comment']);
  expect(find('bench/a.ts', source)).toEqual(['1:5 Nobody', '2:17 nobody', '3:4 nobody']);
});

test('the prose linter finds words in the comments of Lua, SQL, CSS and YAML', () => {
  expect(find('a.lua', "local a = 'nobody'\n-- nobody\n")).toEqual(['2:4 nobody']);
  expect(find('a.sql', 'select 1; -- nobody\n')).toEqual(['1:14 nobody']);
  expect(find('a.css', 'a { margin: 0 } /* nobody */\n')).toEqual(['1:20 nobody']);
  expect(find('a.yml', '# nobody\nsummary: nobody\nexpr: nobody\n')).toEqual([
    '1:3 nobody',
    '2:10 nobody',
  ]);
});

test('the prose linter finds words in strings, but not in those of tests', () => {
  const source = "throw new Error('nobody knows');\nhtml`<p>${a} nobody</p>`;\n";
  expect(find('packages/core/src/a.ts', source)).toEqual(['1:18 nobody', '2:14 nobody']);
  expect(find('packages/core/test/a.ts', source)).toEqual([]);
});

test('the prose linter finds words in the titles of tests', () => {
  const source =
    "test('nobody', f);\ndescribe.each(['nobody'])('so %s', f);\nit.skip(`nobody ${a}`, f);\n";
  expect(find('packages/core/test/a.test.ts', source)).toEqual(['1:7 nobody', '3:10 nobody']);
});

test('the prose linter finds a second sentence on a line of Markdown, but not in a table', () => {
  expect(find('a.md', 'One. Two.\n\n- One.\n  Two. `three` is.\n')).toEqual([
    '1:6 Two. …',
    '4:8 `three` …',
  ]);
  const fine = 'One, e.g. Redis 7.2 (etc. Two).\nThree.\n\n| One. Two. |\n| - |\n';
  expect(find('a.md', fine)).toEqual([]);
});

test('the prose linter finds comments that are wider than 100 columns', () => {
  expect(find('a.ts', `// ${LONG}\n/**\n * ${LONG}\n */\n`)).toEqual([
    '1:101 127 columns',
    '3:101 127 columns',
  ]);
  expect(find('a.lua', `-- ${LONG}\n`)).toEqual(['1:101 127 columns']);
  expect(find('a.sql', `-- ${LONG}\n`)).toEqual(['1:101 127 columns']);
  // Code, which oxfmt wraps, and an address, which cannot be wrapped.
  expect(find('a.ts', `f('${LONG}');\n// https://${'a'.repeat(100)}\n`)).toEqual([]);
});

test('pnpm prose --fix wraps a wide comment, and leaves its code and all else alone', () => {
  const wide = (lead: string): string => `${lead} ${LONG}`;
  const source = [
    `/** ${LONG} */`,
    `const text = \`\n${wide(' *')}\`;`,
    '/**',
    ` * - ${LONG} \`a b\``,
    ' *   more',
    ' * - next',
    ' * @example',
    wide(' *'),
    ' */',
  ].join('\n');
  const [first, rest] = [`${'word '.repeat(19)}word`, 'word word word word word'];
  const expected = [
    '/**',
    ` * ${first.slice(0, -5)}`,
    ` * word ${rest}`,
    ' */',
    `const text = \`\n${wide(' *')}\`;`,
    '/**',
    ` * - ${first.slice(0, -5)}`,
    ` *   word ${rest} \`a b\` more`,
    ' * - next',
    ' * @example',
    wide(' *'),
    ' */',
  ].join('\n');
  expect(wrapComments('a.ts', source)).toBe(expected);
  expect(wrapComments('a.lua', `${wide('--')}\nlocal a`)).toBe(
    `-- ${first.slice(0, -5)}\n-- word ${rest}\nlocal a`,
  );
});

test('pnpm prose prints each finding with its place, aligned, and fails', async () => {
  const page = 'scripts/prose/prose-test.md';
  const run = promisify(execFile);
  const main = ['--import', 'tsx', 'scripts/prose/main.ts', page];
  try {
    writeFileSync(join(root, page), 'One.\n');
    const clean = await run(process.execPath, main, { cwd: root });
    expect(clean.stdout).toBe('0 finding(s) in 1 file(s)\n');
    writeFileSync(join(root, page), `Nobody.\n${'\n'.repeat(8)}It goes on.\n`);
    const failure = run(process.execPath, main, { cwd: root });
    await expect(failure).rejects.toMatchObject({
      code: 1,
      stdout: [
        `${page}:1:1   Nobody  → no one, or name the subject\n`,
        `${page}:10:4  goes on → continues, happens\n`,
        '2 finding(s) in 1 file(s)\n',
      ].join(''),
    });
  } finally {
    rmSync(join(root, page));
  }
});
