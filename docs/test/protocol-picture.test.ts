import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawProtocol, pictureFile } from '../pictures/draw-protocol.ts';
import { root } from './page.ts';

test.each(['light', 'dark'] as const)(
  'the committed %s picture is what the script draws',
  (theme) => {
    expect(readFileSync(pictureFile(theme), 'utf8')).toBe(drawProtocol(theme));
  },
);

test.each(['light', 'dark'] as const)('the %s picture has every state of a record', (theme) => {
  const type = /export type RecordState =([^;]+);/.exec(
    readFileSync(`${root}packages/core/src/record.ts`, 'utf8'),
  );
  const states = [...type![1]!.matchAll(/'([a-z-]+)'/g)].map(([, name]) => name!);
  expect(states.length).toBeGreaterThan(5);
  const drawn = [...drawProtocol(theme).matchAll(/font-weight="600"[^>]*>([^<]+)</g)];
  const names = drawn.map(([, name]) => name!.replace(' ', '-'));
  expect(names.toSorted()).toEqual([...states, 'absent'].toSorted());
});
