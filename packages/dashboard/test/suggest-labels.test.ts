import { deriveKey } from '@sendonce/core';
import { expect, test } from 'vitest';
import { scene } from './scene.ts';
import { doubtfulEmail } from './stage.ts';

test.each([
  ['4010', 'order 4010'],
  ['order 4010', 'order 4010'],
  ['#4010', 'order 4010'],
])('"%s" leads to "%s"', async (query, label) => {
  const { stage, ask } = await scene();
  await doubtfulEmail(stage, deriveKey(['x', 1]), { label: 'order 4010' });
  const answered = await ask(`/find?q=${encodeURIComponent(query)}`);
  const link = `/find?q=${encodeURIComponent(label)}`;
  if (query === label) expect(answered.status).toBe(303);
  else expect(await answered.text()).toContain(`href="${link}"`);
  expect((await ask(link)).status).toBe(303);
});

test('the labels of open emails show how labels are written here', async () => {
  const { stage, ask } = await scene({}, 'Lieferung 0815/A');
  stage.journal.write({
    key: deriveKey(['x', 2]),
    type: 'sent',
    atMs: 1,
    label: 'Lieferung 4010/A',
  });
  await stage.journal.flush();
  const text = await (await ask('/find?q=4010')).text();
  expect(text).toContain('<bdi>Lieferung 4010/A</bdi>');
  expect(await (await ask('/find?q=4011')).text()).not.toContain('Did you mean');
});
