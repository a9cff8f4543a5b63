import { isSendonceError, type Ledger } from '@sendonce/core';
import { ask, withoutReply } from './ask.ts';
import {
  type Command,
  type Issued,
  type Lengths,
  rehearsalOf,
  type Scenario,
  type Step,
} from './commands.ts';
import { type Answered, bindingOf, explain, isSilentForLonger } from './explain.ts';
import type { Question, Reference, Span, World } from './reference.ts';
import { castLines, commandLine, differenceLine, type Told, toldLine } from './script.ts';

/** The ledgers on which a scenario is played, and the time there. */
export interface Stage {
  readonly reference: Reference;
  /** On one store, each with a connection of its own. */
  readonly ledgers: readonly Ledger[];
  /** One attempt never does two things at once then, but for heartbeats. */
  readonly byMajority: boolean;
  readonly lengths: Lengths;
  readonly nowMs: () => number;
  /** How far the clock of the ledger is ahead of this one. */
  readonly offsetMs: number;
  /** So many short leases pass; true where the senders have died of it, whatever their leases. */
  readonly silence: (leases: number) => Promise<boolean>;
  readonly lostReply?: (verb: (ledger: Ledger) => Promise<unknown>) => Promise<unknown>;
  /** How often the ledger could not answer, of how many commands. */
  readonly counts: { asked: number; unanswered: number };
}

type Asked = Exclude<Command, { verb: 'again' }>;

/** Whether an attempt itself asks this, one after the other. */
function isStepOf(command: Asked): command is Extract<Asked, { readonly of: number }> {
  return ['claim', 'dispatch', 'settle', 'release'].includes(command.verb);
}

function answersAbout(key: string, answers: readonly Answered[]): readonly Answered[] {
  return answers.filter(({ question }) => question.key === key);
}

/** What a ledger did that the contract does not allow, told by all that was done before it. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
}

/**
 * Plays a scenario and compares each reply, and after each step each record and both lists, with the
 * reference.
 * @throws {ContractError}
 */
export async function play(stage: Stage, scenario: Scenario): Promise<void> {
  const { reference, ledgers, counts } = stage;
  const { keys, questionsOf } = rehearsalOf(scenario, stage.lengths);
  const worlds = new Map<string, readonly World[]>(keys.map((key) => [key, [undefined]]));
  const issued: Asked[] = [];
  const lines: string[] = [];

  const worldsOf = (key: string) => worlds.get(key) ?? [];
  const ledgerAt = (via: number) => ledgers[via % ledgers.length]!;

  /** An earlier command where one is named, or none where there is none yet. */
  function resolved({ command }: Issued) {
    if (command.verb !== 'again') return command;
    return issued.at(-1 - (command.back % Math.max(issued.length, 1)));
  }

  function fail(line: string): never {
    const told = [...lines, line];
    throw new ContractError([...castLines(scenario.cast, told), ...told].join('\n'));
  }

  /** Asks all at the same time. */
  async function together(
    all: readonly { asked: string; questions: readonly Question[]; via: number }[],
  ) {
    const fromMs = stage.nowMs();
    const told = await Promise.all(
      all.map(async ({ asked, questions, via }): Promise<Told> => {
        const answers = await ask(ledgerAt(via), questions, stage.offsetMs);
        const asksOnly = questions.every(({ verb }) => verb === 'read' || verb === 'list');
        return { asked, answers, asksOnly };
      }),
    );
    return { told, during: { fromMs, toMs: stage.nowMs() } };
  }

  /** Lets the reference explain what was asked at the same time; `line` tells all of it. */
  function check(told: readonly Told[], during: Span, line: string): void {
    const isRace = told.length > 1 && !told.every(({ asksOnly }) => asksOnly);
    for (const key of keys) {
      const all = told.flatMap(({ answers }) => answersAbout(key, answers));
      const about = isRace && stage.byMajority ? bindingOf(all) : all;
      const next = explain(reference, worldsOf(key), about, during);
      if (next.length === 0) {
        const why = isRace ? undefined : differenceIn(told, key, during);
        fail(why ?? `${line}\nthe reference knows no order that explains it`);
      }
      worlds.set(key, next);
    }
  }

  /** The single answer that is wrong, where there is one: nothing that changes something ran beside it. */
  function differenceIn(told: readonly Told[], key: string, during: Span): string | undefined {
    const before = worldsOf(key);
    const aged = before.flatMap((world) => reference.aged(world, during));
    for (const { asked, answers } of told) {
      const [only, ...more] = answersAbout(key, answers);
      if (!only?.reply || more.length > 0) continue;
      if (explain(reference, before, [only], during).length > 0) continue;
      const allowed = aged.flatMap((world) => reference.outcomes(world, only.question, during));
      return `${asked} -> ${differenceLine(only.reply, allowed)}`;
    }
    return undefined;
  }

  async function run(commands: readonly Issued[]): Promise<void> {
    const busy = new Set<number>();
    const known = commands.flatMap((one) => {
      const command = one.isIn ? resolved(one) : undefined;
      if (!command) return [];
      if (stage.byMajority && isStepOf(command)) {
        if (busy.has(command.of)) return [];
        busy.add(command.of);
      }
      const [asked, questions] = [commandLine(command), questionsOf(command)];
      return [{ ...one, command, asked, questions }];
    });
    if (known.length === 0) return;
    issued.push(...known.map(({ command }) => command));
    for (const { asked, questions } of known.filter(({ lost }) => lost)) {
      await loseReply(asked, questions);
      lines.push(`${asked} -> (its reply is lost)`);
    }
    const { told, during } = await together(known);
    counts.asked += told.length;
    counts.unanswered += told.filter(({ answers }) => answers.some(({ reply }) => !reply)).length;
    const line = toldLine(told);
    check(told, during, line);
    lines.push(line);
  }

  async function loseReply(asked: string, questions: readonly Question[]): Promise<void> {
    const { lostReply = (verb) => verb(ledgerAt(0)) } = stage;
    const fromMs = stage.nowMs();
    await lostReply((ledger) => ask(ledger, questions, stage.offsetMs)).catch((error: unknown) => {
      if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
    });
    // A client that reconnects may have asked twice before its caller does.
    const unknown = { asked, answers: withoutReply(questions), asksOnly: false };
    check([unknown, unknown], { fromMs, toMs: stage.nowMs() }, asked);
  }

  /** Whatever was answered, this is what stands. */
  async function observe(via: number): Promise<void> {
    const reads = keys.map((key, index) => ({
      asked: `read email ${index + 1}`,
      questions: [{ verb: 'read', key } satisfies Question],
      via: via + index,
    }));
    const lists = (['open', 'in-doubt'] as const).map((state, index) => ({
      asked: `list ${state}`,
      questions: keys.map((key): Question => ({ verb: 'list', key, state })),
      via: via + index,
    }));
    const { told, during } = await together([...reads, ...lists]);
    check(told, during, toldLine(told));
    for (const { answers } of told) checkOrder(answers);
  }

  function checkOrder(listed: readonly Answered[]): void {
    for (const one of listed) {
      for (const other of listed) {
        const [first, second] = [one.reply?.place, other.reply?.place];
        if (first === undefined || second === undefined || first >= second) continue;
        if (!isSilentForLonger(worldsOf(other.question.key), worldsOf(one.question.key))) continue;
        fail('list -> a record comes before one that is silent for longer');
      }
    }
  }

  async function passTime(leases: number): Promise<void> {
    const fromMs = stage.nowMs();
    const died = await stage.silence(leases);
    const during = { fromMs, toMs: stage.nowMs() };
    lines.push(`silence for ${leases} short leases`);
    if (!died) return;
    for (const key of keys) {
      worlds.set(
        key,
        worldsOf(key).map((world) => reference.orphaned(world, during)),
      );
    }
  }

  async function runStep(step: Step, index: number): Promise<void> {
    if ('together' in step) await run(step.together);
    else if (step.silence > 0) await passTime(step.silence);
    await observe(index);
  }

  /** Open records never expire: left behind, each would stand in the lists of the next runs. */
  async function clear(): Promise<void> {
    for (const key of keys) {
      const [read] = await ask(ledgerAt(0), [{ verb: 'read', key }], stage.offsetMs);
      const { record } = read?.reply ?? {};
      if (!record?.token) continue;
      const { token } = record;
      const end: Question = {
        verb: 'settle',
        key,
        token,
        leaseMs: 1,
        retentionMs: 1,
        outcome: 'sent',
      };
      await ask(ledgerAt(0), [end], stage.offsetMs);
    }
  }

  try {
    for (const [index, step] of scenario.steps.entries()) await runStep(step, index);
  } finally {
    await clear();
  }
}
