import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { everyMetric } from './every-metric.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The rows of the table with this first column; the code marks left out. */
function tableOf(heading: string): string[][] {
  const lines = readme.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} `)) + 2;
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const codesOf = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

test('the table of metrics is what is emitted: names, kinds, units, attributes', async () => {
  const { metrics } = await everyMetric();
  const emitted = (await metrics()).map(({ name, kind, unit, points }) => ({
    name,
    kind,
    unit,
    attributes: [
      ...new Set(points.flatMap(({ attributes }) => Object.keys(attributes))),
    ].toSorted(),
  }));
  const told = tableOf('Name').map(([name, kind, unit, attributes]) => ({
    name: codesOf(name!)[0],
    kind,
    unit: codesOf(unit!)[0],
    attributes: codesOf(attributes!),
  }));
  expect(told.length).toBeGreaterThan(5);
  expect(told).toEqual(expect.arrayContaining(emitted));
  expect(emitted).toEqual(expect.arrayContaining(told));
});

test('the table of attributes has every value that is emitted', async () => {
  const { metrics } = await everyMetric();
  const rows = new Map(tableOf('Attribute').map(([name, values]) => [codesOf(name!)[0]!, values!]));
  const attributes = (await metrics()).flatMap(({ points }) =>
    points.flatMap((point) => Object.entries(point.attributes)),
  );
  for (const [name, value] of attributes) {
    expect(rows.has(name), name).toBe(true);
    // Any queue, any code.
    if (name === 'messaging.destination.name' || name === 'error.type') continue;
    expect(codesOf(rows.get(name)!), name).toContain(value);
  }
  const outcomes = new Set(
    attributes.filter(([name]) => name === 'sendonce.outcome').map(([, value]) => value),
  );
  expect([...outcomes].map(String).toSorted()).toEqual(
    codesOf(rows.get('sendonce.outcome')!).toSorted(),
  );
  const steps = new Set(
    attributes.filter(([name]) => name === 'sendonce.step').map(([, value]) => value),
  );
  expect([...steps].map(String).toSorted()).toEqual(codesOf(rows.get('sendonce.step')!).toSorted());
});
