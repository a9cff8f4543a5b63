import { isSendonceError, type Ledger } from '@sendonce/core';
import { askLedger, withoutReply } from './ask-ledger.ts';
import {
  type ConcreteCommand,
  createAttempts,
  type Durations,
  type Issued,
  type Scenario,
  type Step,
} from './commands.ts';
import { attemptLines, commandLine, type Exchange, exchangesLine } from './describe-run.ts';
import type { Question, Reference, Span } from './reference.ts';
import { Worlds } from './worlds.ts';

/** The ledgers on which a scenario runs, and the time there. */
export interface ModelSetup {
  readonly reference: Reference;
  /** On one store, each with its own connection. */
  readonly ledgers: readonly Ledger[];
  /** One attempt never does two things at once then, but for heartbeats. */
  readonly byMajority: boolean;
  readonly durations: Durations;
  readonly nowMs: () => number;
  /** How far the clock of the ledger is ahead of this one. */
  readonly offsetMs: number;
  /**
   * So many short leases pass; true if the senders have died of it, even those with long leases.
   */
  readonly silence: (leases: number) => Promise<boolean>;
  readonly lostReply?: (verb: (ledger: Ledger) => Promise<unknown>) => Promise<unknown>;
  /** How often the ledger could not answer, of how many commands. */
  readonly counts: { asked: number; unanswered: number };
}

/** What a ledger did that the contract does not allow, with all that was done before it. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
}

/**
 * Runs a scenario and compares each reply, and after each step each record and both lists, with the
 * reference.
 * @throws {ContractError}
 */
export async function runScenario(setup: ModelSetup, scenario: Scenario): Promise<void> {
  const run = new ScenarioRun(setup, scenario);
  try {
    for (const [index, step] of scenario.steps.entries()) await run.step(step, index);
  } finally {
    await run.clear();
  }
}

/** What is asked by one connection at once. */
interface Request {
  /** As it is written down. */
  readonly command: string;
  readonly questions: readonly Question[];
  readonly via: number;
}

class ScenarioRun {
  private readonly setup: ModelSetup;
  private readonly scenario: Scenario;
  private readonly attempts: ReturnType<typeof createAttempts>;
  private readonly worlds: Worlds;
  private readonly issued: ConcreteCommand[] = [];
  private readonly lines: string[] = [];

  constructor(setup: ModelSetup, scenario: Scenario) {
    const { reference, byMajority, durations } = setup;
    this.setup = setup;
    this.scenario = scenario;
    this.attempts = createAttempts(scenario, durations);
    this.worlds = new Worlds(this.attempts.keys, reference, byMajority);
  }

  async step(step: Step, index: number): Promise<void> {
    if ('together' in step) await this.execute(step.together);
    else if (step.silence > 0) await this.passTime(step.silence);
    await this.observe(index);
  }

  private async execute(commands: readonly Issued[]): Promise<void> {
    const known = this.withoutRivalry(commands.flatMap((one) => this.resolve(one)));
    if (known.length === 0) return;
    this.issued.push(...known.map(({ concrete }) => concrete));
    for (const request of known.filter(({ lost }) => lost)) await this.loseReply(request);
    const { exchanges, during } = await this.ask(known);
    const { counts } = this.setup;
    counts.asked += exchanges.length;
    counts.unanswered += exchanges.filter(({ answers }) =>
      answers.some(({ reply }) => !reply),
    ).length;
    this.check(exchanges, during);
    this.lines.push(exchangesLine(exchanges));
  }

  /** What a command asks. Of "again": an earlier command, or none where there is none yet. */
  private resolve({ isIn, command, via, lost }: Issued) {
    if (!isIn) return [];
    const concrete =
      command.verb === 'again'
        ? this.issued.at(-1 - (command.back % Math.max(this.issued.length, 1)))
        : command;
    if (!concrete) return [];
    const questions = this.attempts.questionsOf(concrete);
    return [{ concrete, command: commandLine(concrete), questions, via, lost }];
  }

  /** With a majority one attempt does one thing after the other. */
  private withoutRivalry<T extends { concrete: ConcreteCommand }>(requests: readonly T[]): T[] {
    if (!this.setup.byMajority) return [...requests];
    const busy = new Set<number>();
    // Nodes that receive a heartbeat before the doubt of its attempt, and nodes that receive it
    // after, differ for two leases. perform() never claims again under that token.
    const doubtful = requests.flatMap(({ concrete }) =>
      concrete.verb === 'settle' && concrete.outcome === 'in-doubt' ? [concrete.of] : [],
    );
    return requests.filter(({ concrete }) => {
      if (concrete.verb === 'heartbeat') return !concrete.of.some((of) => doubtful.includes(of));
      if (!isStepOfAttempt(concrete)) return true;
      const isFree = !busy.has(concrete.of);
      busy.add(concrete.of);
      return isFree;
    });
  }

  private async loseReply({ command, questions }: Request): Promise<void> {
    const { setup } = this;
    const { lostReply = (verb) => verb(this.ledgerAt(0)) } = setup;
    const fromMs = setup.nowMs();
    await lostReply((ledger) => askLedger(ledger, questions, setup.offsetMs)).catch(
      (error: unknown) => {
        if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
      },
    );
    // A client that reconnects may have asked twice before its caller does.
    const unknown = { command, answers: withoutReply(questions), asksOnly: false };
    this.check([unknown, unknown], { fromMs, toMs: setup.nowMs() });
    this.lines.push(`${command} -> (its reply is lost)`);
  }

  private async passTime(leases: number): Promise<void> {
    const fromMs = this.setup.nowMs();
    const haveDied = await this.setup.silence(leases);
    this.lines.push(`silence for ${leases} short leases`);
    if (haveDied) this.worlds.orphan({ fromMs, toMs: this.setup.nowMs() });
  }

  /** Reads both records and both lists. */
  private async observe(via: number): Promise<void> {
    const { keys } = this.attempts;
    const reads = keys.map((key, index) => ({
      command: `read email ${index + 1}`,
      questions: [{ verb: 'read', key } satisfies Question],
      via: via + index,
    }));
    const lists = (['open', 'in-doubt'] as const).map((state, index) => ({
      command: `list ${state}`,
      questions: keys.map((key): Question => ({ verb: 'list', key, state })),
      via: via + index,
    }));
    const { exchanges, during } = await this.ask([...reads, ...lists]);
    this.check(exchanges, during);
    for (const { answers } of exchanges) {
      if (!this.worlds.isInOrder(answers)) {
        this.fail('list -> a record comes before one that is silent for longer');
      }
    }
  }

  /** Asks all at the same time. */
  private async ask(requests: readonly Request[]) {
    const { nowMs, offsetMs } = this.setup;
    const fromMs = nowMs();
    const exchanges = await Promise.all(
      requests.map(async ({ command, questions, via }): Promise<Exchange> => {
        const answers = await askLedger(this.ledgerAt(via), questions, offsetMs);
        const asksOnly = questions.every(({ verb }) => verb === 'read' || verb === 'list');
        return { command, answers, asksOnly };
      }),
    );
    return { exchanges, during: { fromMs, toMs: nowMs() } };
  }

  private check(exchanges: readonly Exchange[], during: Span): void {
    const unexplained = this.worlds.explain({ exchanges, during, line: exchangesLine(exchanges) });
    if (unexplained !== undefined) this.fail(unexplained);
  }

  private fail(line: string): never {
    const lines = [...this.lines, line];
    throw new ContractError([...attemptLines(this.scenario.attempts, lines), ...lines].join('\n'));
  }

  private ledgerAt(via: number): Ledger {
    const { ledgers } = this.setup;
    return ledgers[via % ledgers.length]!;
  }

  /** Open records never expire: they would be in the lists of the next runs. */
  async clear(): Promise<void> {
    const { offsetMs } = this.setup;
    for (const key of this.attempts.keys) {
      const [read] = await askLedger(this.ledgerAt(0), [{ verb: 'read', key }], offsetMs);
      const token = read?.reply?.record?.token;
      if (!token) continue;
      const attempt = { key, token, leaseMs: 1, retentionMs: 1 };
      const end: Question = { verb: 'settle', ...attempt, outcome: 'sent' };
      await askLedger(this.ledgerAt(0), [end], offsetMs);
    }
  }
}

/** Whether an attempt itself asks this, one after the other. */
function isStepOfAttempt(
  command: ConcreteCommand,
): command is Extract<ConcreteCommand, { readonly of: number }> {
  return ['claim', 'dispatch', 'settle', 'release'].includes(command.verb);
}
