import { expect, test } from 'vitest';
import { cellsOfReadme, openScene } from './email-states.ts';
import { onBothVersions, type Stage, startStage } from './stage.ts';

const deskOf = (stage: Stage) => ({
  ledger: stage.ledger,
  queue: stage.queue(),
  work: (processor: Parameters<Stage['worker']>[0]) => void stage.worker(processor),
});

onBothVersions((bullmq) => {
  test.each(cellsOfReadme())(
    'an email that is $state: $verb answers $answer, emails in the end: $emails',
    async ({ state, verb, answer, emails }) => {
      const scene = openScene(deskOf(startStage(bullmq)));
      await scene.bring(state);
      expect(await scene.ask(verb)).toBe(answer);
      expect(await scene.end()).toBe(emails);
    },
  );

  test('no cell of the table is undefined', () => {
    const { states, verbs } = openScene(deskOf(startStage(bullmq)));
    const cells = cellsOfReadme().map(({ state, verb }) => `${state}: ${verb}`);
    expect(cells.toSorted()).toEqual(
      states.flatMap((state) => verbs.map((verb) => `${state}: ${verb}`)).toSorted(),
    );
  });
});
