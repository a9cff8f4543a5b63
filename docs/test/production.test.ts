import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocksOf, root } from './page.ts';

const blocks = (file: string) => blocksOf(file, readFileSync(join(root, file), 'utf8'));
const rightsIn = (file: string) =>
  blocks(file)
    .map(({ code }) => code.trim())
    .filter((code) => /^(ACL SETUSER|CREATE ROLE|GRANT )/.test(code));

// The tests of these packages run the statements of their READMEs.
test('the rights on the production checklist are those of the package READMEs', () => {
  const ofPackages = ['redis', 'postgres'].flatMap((name) =>
    rightsIn(`packages/${name}/README.md`),
  );
  expect(ofPackages).toHaveLength(3);
  expect(rightsIn('docs/production.md')).toEqual(ofPackages);
});
