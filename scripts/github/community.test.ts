import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { published, readManifest, root } from '../published.ts';

interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly Field[];
}

interface Field {
  readonly type: string;
  readonly id?: string;
  readonly attributes: { readonly label?: string; readonly options?: readonly string[] };
  readonly validations?: { readonly required?: boolean };
}

const read = (file: string) => readFileSync(root + file, 'utf8');
const folder = '.github/ISSUE_TEMPLATE/';
const forms = readdirSync(root + folder).filter((file) => file !== 'config.yml');

describe.each(forms)('the issue form %s', (file) => {
  const form = parse(read(folder + file)) as Form;

  test(`${file} has what GitHub requires of a form`, () => {
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    const types = ['markdown', 'textarea', 'input', 'dropdown', 'checkboxes'];
    const ids = form.body.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, attributes } of form.body) {
      expect(types).toContain(type);
      expect(attributes.label).toEqual(expect.any(String));
      if (type === 'dropdown') expect(attributes.options!.length).toBeGreaterThan(1);
    }
  });
});

test('a bug needs the output of the doctor', () => {
  const { body } = parse(read(`${folder}bug.yml`)) as Form;
  expect(body).toContainEqual(
    expect.objectContaining({
      attributes: expect.objectContaining({
        label: expect.stringContaining('npx sendonce doctor --json'),
      }),
      validations: { required: true },
    }),
  );
});

test.each(['SECURITY.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md'])(
  '%s names no address',
  (file) => {
    expect(read(file)).not.toMatch(/[\w.]+@[\w-]+\.\w+/);
  },
);

test('each published package has a changelog that begins with its version', () => {
  for (const name of published) {
    const { name: title, version } = readManifest(`packages/${name}`);
    expect(read(`packages/${name}/CHANGELOG.md`)).toMatch(
      new RegExp(`^# ${title}\n\n## ${version.replaceAll('.', '\\.')}\n`),
    );
  }
});

test('renovate knows the aliases of older clients', () => {
  const { packageRules } = JSON.parse(read('renovate.json')) as {
    packageRules: { matchDepNames?: string[] }[];
  };
  const rules = packageRules.flatMap(({ matchDepNames = [] }) => matchDepNames);
  const isKnown = (name: string) =>
    rules.some((rule) =>
      rule.startsWith('/') ? new RegExp(rule.slice(1, -1)).test(name) : rule === name,
    );
  const aliases = readdirSync(`${root}packages`)
    .filter((name) => existsSync(`${root}packages/${name}/package.json`))
    .flatMap((name) => Object.entries(readManifest(`packages/${name}`).devDependencies ?? {}))
    .filter(([, version]) => version.startsWith('npm:'))
    .map(([name]) => name);
  expect(aliases.length).toBeGreaterThan(5);
  expect(aliases.filter((name) => !isKnown(name))).toEqual([]);
});
