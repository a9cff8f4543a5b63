import type { Followed, Step } from './emails.ts';

/** Functions of one file that ran one after the other. */
interface Stop {
  readonly file: string;
  readonly names: string[];
}

/**
 * The stops of an email in `attempt/`, as Markdown. What the files around it do (errors, clock,
 * lease, ledger) is a help that each stop uses, not a stop.
 */
export function describeFollowed({ email, result, steps }: Followed): string {
  const stops = stopsOf(steps.filter(([file]) => isOnTheWay(file)));
  const again = returnsOf(stops);
  const lines = stops.map(({ file, names }, index) => {
    const place = file.replace('attempt/', '');
    return `${index + 1}. \`${place}\`: ${names.map((name) => `\`${name}\``).join(', ')}`;
  });
  const returns = again.length > 0 ? again.join(', ') : 'none';
  return [
    `### ${email}`,
    '',
    `Result: ${result}.`,
    '',
    ...lines,
    '',
    `Files entered twice, besides \`perform.ts\`: ${returns}.`,
  ].join('\n');
}

function isOnTheWay(file: string): boolean {
  return file.startsWith('attempt/') || file === 'the sender';
}

export function stopsOf(steps: readonly Step[]): Stop[] {
  const stops: Stop[] = [];
  for (const [file, name] of steps) {
    const last = stops.at(-1);
    if (last?.file === file) {
      if (last.names.at(-1) !== name) last.names.push(name);
    } else stops.push({ file, names: [name] });
  }
  return stops;
}

/**
 * Which files our own code entered again. The sender enters the slot of its email for each of its
 * calls.
 */
export function returnsOf(stops: readonly Stop[]): string[] {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const [index, { file }] of stops.entries()) {
    const bySender = stops[index - 1]?.file === 'the sender';
    if (seen.has(file) && !bySender) again.add(file);
    seen.add(file);
  }
  return [...again].filter((file) => file !== 'attempt/perform.ts' && file !== 'the sender');
}
