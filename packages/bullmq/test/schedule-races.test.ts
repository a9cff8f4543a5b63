import { expect, test } from 'vitest';
import { later, openScene, openStepped, others, sendAll, states } from './schedule-scene.ts';
import { onBothVersions, startStage } from './stage.ts';

/** More steps than the longest way of a call takes. */
const STEPS = 24;

onBothVersions((bullmq) => {
  test.each(states)(
    'schedule() stops before each of its steps while another call runs: %s',
    async (state) => {
      const stage = startStage(bullmq);
      const cases: { order: number; name: string; answers: string[]; mustLeave: boolean }[] = [];
      const scenes = new Map<number, ReturnType<typeof openScene>>();
      let order = 0;
      for (const other of others) {
        for (let at = 1; at <= STEPS; at += 1) {
          order += 1;
          const scene = openScene(stage, order);
          scenes.set(order, scene);
          await scene.states[state]();
          let reply: unknown;
          const stepped = openStepped(stage, (step) =>
            step === at ? scene.others[other]().then((one) => (reply = one)) : undefined,
          );
          const { state: answer } = await stepped.emails.schedule({ order, by: 'this' }, later);
          if (stepped.steps() < at) break;
          const { state: otherAnswer = 'done' } = (reply ?? {}) as { state?: string };
          const answers = [answer, otherAnswer];
          const isPromised = answers.some((one) => /^(already-scheduled|scheduled)$/.test(one));
          const isUndone = /cancel|remove/.test(other);
          const name = `${state}, ${other} before step ${at}: ${answers.join(', ')}`;
          cases.push({ order, name, answers, mustLeave: isPromised && !isUndone });
          // One call scheduled it, and no more.
          const scheduled = answers.filter((one) => one === 'scheduled').length;
          if (!isUndone) expect([name, scheduled <= 1]).toEqual([name, true]);
        }
      }
      const countLeft = await sendAll(stage, scenes);
      expect(cases.length).toBeGreaterThanOrEqual(others.length * 3);
      for (const { order: of, name, mustLeave } of cases) {
        const left = countLeft(of);
        const doubt = (await stage.ledger.read(scenes.get(of)!.id))?.state;
        expect([name, left <= 1]).toEqual([name, true]);
        if (mustLeave && doubt !== 'in-doubt' && state !== 'claimed by a copy') {
          expect([name, left]).toEqual([name, 1]);
        }
      }
    },
    120_000,
  );
});
