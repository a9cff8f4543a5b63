import type { Question, Reference, Span, World } from './reference.ts';
import { differenceLine, type Exchange } from './describe-run.ts';
import { type Answered, bindingOf, explain, isSilentForLonger } from './explain.ts';

/** Commands that were asked at the same time, with their answers. */
export interface Moment {
  readonly exchanges: readonly Exchange[];
  readonly during: Span;
  /** All of them, as they are written down. */
  readonly line: string;
}

/** What may be stored under each key of a run, as far as the answers tell. */
export class Worlds {
  private readonly byKey: Map<string, readonly World[]>;
  private readonly reference: Reference;
  private readonly byMajority: boolean;

  constructor(keys: readonly string[], reference: Reference, byMajority: boolean) {
    this.byKey = new Map(keys.map((key) => [key, [undefined]]));
    this.reference = reference;
    this.byMajority = byMajority;
  }

  /** Lets the reference explain a moment. Returns what it cannot explain, or undefined. */
  explain(moment: Moment): string | undefined {
    const { exchanges, during, line } = moment;
    const isRace = exchanges.length > 1 && !exchanges.every(({ asksOnly }) => asksOnly);
    for (const [key, before] of this.byKey) {
      const all = exchanges.flatMap(({ answers }) => answersAbout(key, answers));
      const about = isRace && this.byMajority ? bindingOf(all) : all;
      const next = explain(this.reference, before, about, during);
      if (next.length === 0) {
        const difference = isRace ? undefined : this.differenceIn(exchanges, key, during);
        return difference ?? `${line}\nthe reference knows no order that explains it`;
      }
      this.byKey.set(key, next);
    }
    return undefined;
  }

  /**
   * The single answer that is wrong, if there is one: nothing that changes something ran beside it.
   */
  private differenceIn(
    exchanges: readonly Exchange[],
    key: string,
    during: Span,
  ): string | undefined {
    const before = this.byKey.get(key) ?? [];
    const aged = before.flatMap((world) => this.reference.aged(world, during));
    for (const { command, answers } of exchanges) {
      const [only, ...more] = answersAbout(key, answers);
      if (!only?.reply || more.length > 0) continue;
      if (explain(this.reference, before, [only], during).length > 0) continue;
      const allowed = aged.flatMap((world) =>
        this.reference.outcomes(world, only.question, during),
      );
      return `${command} -> ${differenceLine(only.reply, allowed)}`;
    }
    return undefined;
  }

  /** Whether a list shows a record before one that is silent for longer. */
  isInOrder(listed: readonly Answered[]): boolean {
    return listed.every((one) =>
      listed.every((other) => {
        const [first, second] = [one.reply?.place, other.reply?.place];
        if (first === undefined || second === undefined || first >= second) return true;
        return !isSilentForLonger(this.about(other.question), this.about(one.question));
      }),
    );
  }

  private about({ key }: Question): readonly World[] {
    return this.byKey.get(key) ?? [];
  }

  /** All senders are dead. */
  orphan(during: Span): void {
    for (const [key, worlds] of this.byKey) {
      this.byKey.set(
        key,
        worlds.map((world) => this.reference.orphaned(world, during)),
      );
    }
  }
}

function answersAbout(key: string, answers: readonly Answered[]): readonly Answered[] {
  return answers.filter(({ question }) => question.key === key);
}
