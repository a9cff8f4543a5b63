import { expect, test } from 'vitest';
import {
  later,
  openScene,
  openStepped,
  sendAll,
  type Scene,
  type State,
} from './schedule-scene.ts';
import { onBothVersions, type Stage, startStage } from './stage.ts';

const never = new Promise<never>(() => {});

/** As many steps as the longest way of a call takes, and more. */
const STEPS = Array.from({ length: 48 }, (_, index) => index + 1);

/** What the calls of one run answered. Undefined for a call whose process was killed. */
type Answers = Record<string, string | undefined>;

type Verb = 'schedule' | 'reschedule' | 'cancel';
type Emails = ReturnType<typeof openStepped>['emails'];

const verbs: Record<Verb, (emails: Emails, order: number) => Promise<{ state: string }>> = {
  schedule: (emails, order) => emails.schedule({ order, by: 'this' }, later),
  reschedule: (emails, order) => emails.reschedule(key(order), { delay: 7_200_000 }),
  cancel: (emails, order) => emails.cancel(key(order)),
};
const key = (order: number) => ({ order, by: 'any' });

/** The runs of one test, in which each email is another run. */
function openRuns(stage: Stage, state: State) {
  const scenes = new Map<number, Scene>();
  const cases: { order: number; name: string; answers: Answers }[] = [];
  return {
    open: async (): Promise<{ order: number; scene: Scene }> => {
      const order = scenes.size + 1;
      const scene = openScene(stage, order);
      scenes.set(order, scene);
      await scene.states[state]();
      return { order, scene };
    },
    close: (order: number, steps: string, answers: Answers): void => {
      cases.push({ order, answers, name: `${state}, ${steps}: ${JSON.stringify(answers)}` });
    },
    /** What was answered is what happens. */
    expectTruth: async (): Promise<void> => {
      const orderOf = (job: { data: unknown }) => (job.data as { order: number }).order;
      const waiting = new Set((await stage.queue().getDelayed()).map(orderOf));
      const countLeft = await sendAll(stage, scenes);
      const lies: unknown[] = [];
      for (const { order, name, answers } of cases) {
        const said = Object.values(answers);
        const left = countLeft(order);
        const isCancelled = said.includes('cancelled');
        const isPromised = said.some((one) => /^((already-|re)?scheduled)$/.test(one ?? ''));
        const record = await stage.ledger.read(scenes.get(order)!.id);
        const isOpen = record?.state === 'in-doubt' || record?.state === 'claimed';
        const isTrue =
          left <= 1 &&
          // A cancellation may expire before a job that it has not seen is due.
          (!isCancelled || (left === 0 && !waiting.has(order))) &&
          (!isPromised || isCancelled || isOpen || left === 1) &&
          said.filter((one) => one === 'scheduled').length <= 1;
        if (!isTrue)
          lies.push({ name, left, isWaiting: waiting.has(order), record: record?.state });
      }
      expect(lies).toEqual([]);
      expect(cases.length).toBeGreaterThan(5);
    },
  };
}

onBothVersions((bullmq) => {
  test.each<[State, Verb]>([
    ['in doubt, without a job', 'schedule'],
    ['in doubt, without a job', 'reschedule'],
    ['never scheduled', 'schedule'],
    ['scheduled again, its failed job removed', 'schedule'],
  ])(
    'a producer is killed at any step after another call was answered: %s, %s',
    async (state, verb) => {
      const runs = openRuns(startStage(bullmq), state);
      const { open, close, expectTruth } = runs;
      const runStops = async (stop: number) => {
        for (let kill = stop; ; kill += 1) {
          const { order, scene } = await open();
          const answers: Answers = {};
          const other = async () => {
            await scene.others['resolve as not sent']();
            answers['other'] = (await verbs[verb](scene.emails, order)).state;
          };
          await new Promise<void>((resolve) => {
            const stepped = openStepped(scene.stage, async (step) => {
              if (step === stop) await other();
              if (step !== kill) return;
              resolve();
              await never;
            });
            void verbs
              .schedule(stepped.emails, order)
              .then(({ state: answer }) => void (answers['this'] = answer))
              .then(resolve);
          });
          close(order, `other before ${stop}, killed before ${kill}`, answers);
          if (answers['this'] !== undefined) break;
        }
      };
      await Promise.all(STEPS.map(runStops));
      await expectTruth();
    },
    60_000,
  );

  // The record may expire before the job is due.
  test.each<State>(['in doubt, without a job', 'sent, without a job', 'cancelled'])(
    'a producer that is killed at any step leaves no job of an email that is %s',
    async (state) => {
      const stage = startStage(bullmq);
      for (let kill = 1; ; kill += 1) {
        const scene = openScene(stage, kill);
        await scene.states[state]();
        const end = await new Promise<'killed' | 'ended'>((resolve) => {
          const stepped = openStepped(stage, (step) =>
            step === kill ? (resolve('killed'), never) : undefined,
          );
          void verbs.schedule(stepped.emails, kill).then(() => resolve('ended'));
        });
        expect([kill, await stage.queue().getDelayedCount()]).toEqual([kill, 0]);
        if (end === 'ended') break;
      }
    },
  );

  test.each<[State, Verb, Verb]>([
    ['never scheduled', 'schedule', 'schedule'],
    ['never scheduled', 'schedule', 'cancel'],
    ['never scheduled', 'cancel', 'schedule'],
    ['scheduled', 'reschedule', 'cancel'],
    ['scheduled', 'cancel', 'reschedule'],
    ['scheduled', 'reschedule', 'reschedule'],
    ['in doubt, without a job', 'schedule', 'schedule'],
    ['in doubt, without a job', 'schedule', 'reschedule'],
    ['in doubt, without a job', 'schedule', 'cancel'],
    ['failed, its job kept', 'schedule', 'schedule'],
    ['failed, its job kept', 'schedule', 'cancel'],
    ['failed, its job kept', 'cancel', 'schedule'],
    ['failed, its job kept', 'reschedule', 'schedule'],
    ['scheduled again, its failed job removed', 'schedule', 'schedule'],
    ['scheduled again, its failed job removed', 'schedule', 'cancel'],
  ])(
    'each of two calls stops once while the other one runs: %s, %s and %s',
    async (state, one, another) => {
      const runs = openRuns(startStage(bullmq), state);
      const { open, close, expectTruth } = runs;
      const runStops = async (at: number) => {
        for (let next = 1; ; next += 1) {
          const { order, scene } = await open();
          const answers: Answers = {};
          const steps = await interleave(scene, answers, {
            first: (emails) => verbs[one](emails, order),
            second: (emails) => verbs[another](emails, order),
            at,
            next,
          });
          close(order, `${one} stops before ${at}, ${another} before ${next}`, answers);
          expect(steps.first).toBeLessThan(STEPS.length);
          if (steps.second < next) break;
        }
      };
      await Promise.all(STEPS.map(runStops));
      await expectTruth();
    },
    60_000,
  );
});

interface Interleaved {
  readonly first: (emails: Emails) => Promise<{ state: string }>;
  readonly second: (emails: Emails) => Promise<{ state: string }>;
  readonly at: number;
  readonly next: number;
}

/**
 * The first call stops before its step `at`: a doubt is resolved as "not sent", and the second call
 * runs up to its step `next`. Then the first one ends, and after it the second one.
 */
async function interleave(
  scene: Scene,
  answers: Answers,
  { first, second, at, next }: Interleaved,
): Promise<{ first: number; second: number }> {
  let firstEnds = () => {};
  const firstEnded = new Promise<void>((resolve) => (firstEnds = resolve));
  let secondEnded: Promise<void> | undefined;
  let secondStops = () => {};
  const secondStopped = new Promise<void>((resolve) => (secondStops = resolve));
  const two = openStepped(scene.stage, (step) => {
    if (step !== next) return undefined;
    secondStops();
    return firstEnded;
  });
  const one = openStepped(scene.stage, async (step) => {
    if (step !== at) return;
    await scene.others['resolve as not sent']();
    secondEnded = second(two.emails).then(({ state }) => void (answers['second'] = state));
    await Promise.race([secondStopped, secondEnded]);
  });
  answers['first'] = (await first(one.emails)).state;
  firstEnds();
  await secondEnded;
  return { first: one.steps(), second: two.steps() };
}
