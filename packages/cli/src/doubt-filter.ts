import type { DoubtFilter } from '@sendonce/core/inspect';
import { type CommandLine, listOption, type OptionHelp, textOption } from './command.ts';
import { formatTime } from './describe-email.ts';
import { readMoment } from './read-moment.ts';
import { stripControls, UsageError } from './terminal.ts';

/** The options that choose some of the emails in doubt. */
export const filterOptions: readonly OptionHelp[] = [
  ['--note <text>', 'only those whose "why" begins with this text; may be repeated', 'repeated'],
  ['--in-queue <name>', 'only those of this queue; may be repeated', 'repeated'],
  [
    '--since <time>',
    'only those dispatched since then: 2h, 7d, 2026-12-01, 2026-12-01T09:30 (UTC)',
  ],
  ['--until <time>', 'only those dispatched until then'],
];

const filterNames = ['note', 'in-queue', 'since', 'until'] as const;

/** The filters that are given, by their options. */
export function listFilters({ values }: CommandLine): readonly string[] {
  return filterNames.filter((name) => values[name] !== undefined).map((name) => `--${name}`);
}

/** @throws {UsageError} */
export function readFilter(commandLine: CommandLine, nowMs = Date.now()): DoubtFilter {
  const moment = (name: 'since' | 'until') => {
    const text = textOption(commandLine, name);
    return text === undefined ? undefined : readMoment({ option: `--${name}`, text, nowMs });
  };
  const sinceMs = moment('since')?.firstMs;
  const untilMs = moment('until')?.lastMs;
  if (sinceMs !== undefined && sinceMs > nowMs) {
    throw new UsageError('Expected --since to be in the past: no email was dispatched after now.');
  }
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs) {
    throw new UsageError(
      `Expected --since (${formatTime(sinceMs)}) to be before --until (${formatTime(untilMs)}): no email matches both.`,
    );
  }
  return {
    causes: listOption(commandLine, 'note'),
    queues: listOption(commandLine, 'in-queue'),
    sinceMs,
    untilMs,
  };
}

/** What a filter chooses, for people: `with 401, of the queue notices, since …`. */
export function describeFilter({ causes, queues, sinceMs, untilMs }: DoubtFilter): string {
  const parts = [
    causes && `whose "why" begins with ${listQuoted(causes)}`,
    queues && `of the queue ${listQuoted(queues)}`,
    sinceMs !== undefined && `dispatched since ${formatTime(sinceMs)}`,
    untilMs !== undefined && `dispatched until ${formatTime(untilMs)}`,
  ].filter((part) => typeof part === 'string');
  return parts.join(', ');
}

function listQuoted(texts: readonly string[]): string {
  return texts.map((text) => `"${stripControls(text)}"`).join(' or ');
}
