import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { everyMetric } from './every-metric.ts';
import { matches, type Parsed, parsePromql, type Series, seriesOf } from './promql.ts';

const folder = new URL('../../../docs/observability/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Record<string, string>;
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly w: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const rules = (parse(read('sendonce.rules.yml')) as Rules).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('sendonce.dashboard.json')) as Dashboard;

const asked: [string, string][] = [
  ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }): [string, string] => [title, withVariables(expr)]),
  ),
];

/** As Grafana fills them in. */
function withVariables(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '6h')
    .replaceAll('$queue', '.*');
}

/**
 * As the Collector and Prometheus' OTLP receiver name it: a unit is a word at the end of the name.
 */
function withUnits(scraped: string): string {
  const inSeconds = [...scraped.matchAll(/^# UNIT (\w+) s$/gm)].map(([, name]) => name!);
  expect(inSeconds).toHaveLength(3);
  return inSeconds.reduce(
    (text, name) => text.replaceAll(new RegExp(`^${name}(?=[_{ ])`, 'gm'), `${name}_seconds`),
    scraped,
  );
}

/** The metrics and labels of an expression that are never emitted. */
function missing({ selectors, grouping }: Parsed, series: readonly Series[]): string[] {
  const without = selectors.filter((selector) => !series.some((one) => matches(one, selector)));
  const found = series.filter((one) => selectors.some((selector) => matches(one, selector)));
  const unknown = grouping.filter((label) => !found.some((one) => label in one));
  return [...without.map(({ text }) => text), ...unknown];
}

describe.each([
  ["as the JavaScript SDK's exporter names it", (scraped: string) => scraped],
  ['as the Collector names it', withUnits],
])('what is emitted, %s', (_name, translate) => {
  test('has every series and label that the dashboard and the rules ask for', async () => {
    const { scrape } = await everyMetric();
    const series = seriesOf(translate(await scrape()));
    expect(series.length).toBeGreaterThan(50);
    for (const [name, expr] of asked) {
      expect({ name, missing: missing(parsePromql(expr), series) }).toEqual({ name, missing: [] });
    }
    // Nor does an expression with a wrong word pass.
    for (const wrong of [
      'sendonce_attempts{sendonce_outcome="sent"}',
      'sendonce_attempts_total{sendonce_outcome="in_doubt"}',
      'sum by (queue) (sendonce_attempts_total)',
    ]) {
      expect(missing(parsePromql(wrong), series)).toHaveLength(1);
    }
  });
});

test('everything that is emitted is on the dashboard', async () => {
  const { scrape } = await everyMetric();
  const names = [...(await scrape()).matchAll(/^# TYPE (sendonce_\w+)/gm)].map(([, name]) => name!);
  expect(names).toHaveLength(7);
  const all = asked.map(([, expr]) => expr).join('\n');
  for (const name of names) expect(all).toContain(name);
});

test('every rule says what happened and what to do, every panel what it shows', () => {
  expect(rules.length).toBeGreaterThan(5);
  for (const { alert, annotations } of rules) {
    expect(alert).toMatch(/^Sendonce[A-Z]\w+$/);
    expect(annotations['summary'], alert).toMatch(/\S/);
    expect(annotations['description'], alert).toMatch(/\S/);
  }
  expect(dashboard.panels.length).toBeGreaterThan(10);
  for (const { title, description, gridPos, targets } of dashboard.panels) {
    expect(description, title).toMatch(/\.$/);
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    expect(targets.length, title).toBeGreaterThan(0);
  }
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});

test('the variables of the dashboard are those that its panels use', () => {
  const used = new Set(read('sendonce.dashboard.json').match(/\$\{?(?!__)[a-z]+/g));
  const defined = dashboard.templating.list.map(({ name }) => name);
  expect([...used].map((name) => name.replace(/\W/g, '')).toSorted()).toEqual(defined.toSorted());
});

test('an expression that is not PromQL is found', () => {
  expect(() => parsePromql('sum by (le (rate(x[5m]))')).toThrow('not PromQL');
});
