/** Makes the behaviour vectors from the memory ledger. `make-vectors.ts` writes the file. */
import { type Attempt, deriveKey, memoryLedger } from '../packages/core/src/index.ts';
import { hash128 } from '../packages/core/src/keys.ts';
import { type BehaviourStep, type BehaviourVector, executeStep } from './behaviour.ts';
import { type BehaviourCase, behaviourCases, LONG_MS } from './behaviour-cases.ts';

export interface BehaviourVectors {
  readonly about: string;
  readonly vectors: readonly BehaviourVector[];
}

export async function makeBehaviour(): Promise<BehaviourVectors> {
  const vectors: BehaviourVector[] = [];
  for (const one of behaviourCases) vectors.push(await makeVector(one));
  return {
    about: 'Test vectors of behaviour.md. Written by make-vectors.ts: do not edit.',
    vectors,
  };
}

/** The text of the file: one line for each attempt and step. */
export function textOfBehaviour({ about, vectors }: BehaviourVectors): string {
  const blocks = vectors.map(({ name, exact, attempts, steps }) => {
    const attemptLines = Object.entries(attempts).map(
      ([id, attempt]) => `        ${JSON.stringify(id)}: ${JSON.stringify(attempt)}`,
    );
    const stepLines = steps.map((step) => `        ${JSON.stringify(step)}`);
    return [
      '    {',
      `      "name": ${JSON.stringify(name)},`,
      ...(exact ? ['      "exact": true,'] : []),
      `      "attempts": {\n${attemptLines.join(',\n')}\n      },`,
      `      "steps": [\n${stepLines.join(',\n')}\n      ]`,
      '    }',
    ].join('\n');
  });
  return `{\n  "about": ${JSON.stringify(about)},\n  "vectors": [\n${blocks.join(',\n')}\n  ]\n}\n`;
}

async function makeVector({ name, exact, ...rest }: BehaviourCase): Promise<BehaviourVector> {
  let nowMs = 0;
  const ledger = memoryLedger({ now: () => nowMs });
  const attempts = Object.fromEntries(
    Object.entries(rest.attempts).map(([id, own]) => [id, attemptOf(name, id, own)]),
  );
  const steps: BehaviourStep[] = [];
  for (const question of rest.questions) {
    nowMs = question.atMs;
    steps.push({ ...question, ...(await executeStep(ledger, attempts, question)) });
  }
  return { name, ...(exact && { exact }), attempts, steps };
}

function attemptOf(name: string, id: string, own: Partial<Attempt>): Attempt {
  return {
    key: deriveKey(['behaviour', name]),
    token: hash128(id).slice(0, 16),
    leaseMs: LONG_MS,
    retentionMs: LONG_MS,
    ...own,
  };
}
