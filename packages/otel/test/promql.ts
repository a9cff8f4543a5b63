import type { SyntaxNodeRef } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One selector of an expression: what it asks of a series, its name included. */
export interface Selector {
  readonly text: string;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Parsed {
  readonly selectors: readonly Selector[];
  /** The labels that it groups by. */
  readonly grouping: readonly string[];
}

/** Reads an expression by Prometheus' own grammar. Throws if it is invalid. */
export function parsePromql(expression: string): Parsed {
  const selectors: { text: string; matchers: Matcher[] }[] = [];
  const grouping: string[] = [];
  const textOf = ({ from, to }: SyntaxNodeRef) => expression.slice(from, to);
  let inGrouping = false;
  parser.parse(expression).iterate({
    enter(node) {
      const text = textOf(node);
      if (node.type.isError) {
        throw new Error(`not PromQL at ${node.from}: ${expression}`);
      }
      if (node.name === 'VectorSelector') selectors.push({ text, matchers: [] });
      if (node.name === 'GroupingLabels') inGrouping = true;
      if (node.name === 'LabelName' && inGrouping) grouping.push(text);
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') {
        selectors.at(-1)!.matchers.push({ label: '__name__', operator: '=', value: text });
      }
      if (node.name === 'UnquotedLabelMatcher') {
        const [, label, operator, value] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/s.exec(text)!;
        selectors.at(-1)!.matchers.push({
          label: label!,
          operator: operator!,
          value: JSON.parse(`"${value!}"`) as string,
        });
      }
    },
    leave(node) {
      if (node.name === 'GroupingLabels') inGrouping = false;
    },
  });
  return { selectors, grouping };
}

/** A series as it is scraped, its name as the label `__name__`. */
export type Series = Readonly<Record<string, string>>;

export function matches(series: Series, { matchers }: Selector): boolean {
  return matchers.every(({ label, operator, value }) => {
    const found = series[label] ?? '';
    const isMatch = operator.endsWith('~')
      ? new RegExp(`^(?:${value})$`).test(found)
      : found === value;
    return operator.startsWith('!') ? !isMatch : isMatch;
  });
}

/** All series of Prometheus' text format. */
export function seriesOf(scraped: string): Series[] {
  return scraped
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+/.exec(line)!;
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [
        key!,
        value!,
      ]);
      return { __name__: name!, ...(Object.fromEntries(pairs) as Record<string, string>) };
    });
}
