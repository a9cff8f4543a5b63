import { readFile } from 'node:fs/promises';
import type { Ledger } from '@sendonce/core';
import { describe, expect, test } from 'vitest';
import { ledgerTopics, memoryUnderTest, runTopic } from '../src/index.ts';
import { callerOf, type Operation, stepOf } from '../src/table/record-after.ts';
import { removeByVerbs } from '../src/table/remove-by-verbs.ts';
import {
  meet,
  TABLE_CELLS,
  type Transition,
  transitionFor,
  transitions,
} from '../src/table/transition-table.ts';

const contract = new URL('../../core/src/ledger.ts', import.meta.url);

test('the table that the tests walk is the table of core/src/ledger.ts', async () => {
  const lines = (await readFile(contract, 'utf8')).matchAll(/^ \* \| (.*) \|$/gm);
  const [header, ...rows] = [...lines].map(([, line = '']) =>
    line.split(' | ').map((cell) => cell.trim()),
  );
  expect(header).toEqual(['verb', 'from', 'guard', 'to', 'reply']);
  expect(rows).toEqual(TABLE_CELLS);
});

describe.each(transitions)('$title', (row) => {
  test.each([
    ['answers something else', answersWrongly],
    ['leaves another record', writesWrongly],
  ] as const)('is noticed in a ledger that %s', async (_mistake, breakAt) => {
    const topic = ledgerTopics.find(({ name }) => name === 'transitions');
    if (!topic) throw new Error('There is no such topic.');
    const results = await runTopic(topic, memoryUnderTest(breakAt(row)));
    const failed = results.filter(({ error }) => error !== undefined).map(({ title }) => title);
    expect(failed).toContain(row.title);
  });
});

/** Answers another word wherever this row applies. */
function answersWrongly(row: Transition) {
  return intercepting(row, async (_sound, _operation, run) => {
    const reply = await run();
    return typeof reply === 'string' ? 'wrong' : { ...(reply as object), state: 'wrong' };
  });
}

/**
 * Answers correctly wherever this row applies, but does not write, or writes what it should not.
 */
function writesWrongly(row: Transition) {
  return intercepting(row, async (sound, operation, run) => {
    const record = await sound.read(operation.key);
    if (row.to !== '=' && record?.state !== row.to) {
      const { reply } = transitionFor(stepOf(operation), meet(record, callerOf(operation)));
      return operation.verb === 'heartbeat' ? reply : { state: reply };
    }
    const reply = await run();
    if (record) await removeByVerbs(sound, record);
    else await sound.cancel({ key: operation.key, retentionMs: 60_000 });
    return reply;
  });
}

type Intercept = (
  sound: Ledger,
  operation: Operation,
  run: () => Promise<unknown>,
) => Promise<unknown>;

/** A ledger that does something else wherever this row of the table applies. */
function intercepting(row: Transition, intercept: Intercept) {
  return (sound: Ledger): Ledger => {
    const at = (verb: Exclude<Operation['verb'], 'heartbeat'>) => async (request: object) => {
      const operation = { verb, ...request } as Operation;
      const run = () => (sound[verb] as (request: object) => Promise<unknown>)(request);
      return (await isAt(sound, operation)) ? intercept(sound, operation, run) : run();
    };
    const verbs = ['claim', 'dispatch', 'settle', 'release', 'resolve', 'cancel'] as const;
    return {
      ...sound,
      ...Object.fromEntries(verbs.map((verb) => [verb, at(verb)])),
      async heartbeat(attempts) {
        const replies = [];
        for (const attempt of attempts) {
          const operation = { verb: 'heartbeat', ...attempt } as const;
          const run = async () => (await sound.heartbeat([attempt]))[0];
          const isHere = await isAt(sound, operation);
          replies.push(isHere ? await intercept(sound, operation, run) : await run());
        }
        return replies as ('kept' | 'lost')[];
      },
    };
  };

  async function isAt(sound: Ledger, operation: Operation): Promise<boolean> {
    const met = meet(await sound.read(operation.key), callerOf(operation));
    return transitionFor(stepOf(operation), met).row === row;
  }
}
