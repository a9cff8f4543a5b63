import { expect } from 'vitest';
import type { ExplainedNumbers } from '../src/explain-numbers.ts';
import { type Scene, type Sending, soon, until } from './explain-scene.ts';

/** Shows on a real run what explain() says about it. */
export type Run = (scene: Scene, numbers: ExplainedNumbers) => Promise<void>;

const sends = async ({ claim, post }: Sending) => {
  await claim.dispatch();
  post();
};
const unknownEnd = async (sending: Sending) => {
  await sends(sending);
  throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
};

/**
 * A worker dies where `send` hangs, and another one is there. Returns the time of the death and the
 * state at that time.
 */
async function dieIn(scene: Scene, send: (sending: Sending) => Promise<unknown>) {
  let reached = () => {};
  const there = new Promise<void>((resolve) => (reached = resolve));
  const first = scene.worker(async (sending) => {
    await send(sending);
    reached();
    return sending.hang();
  });
  const job = await scene.add();
  await there;
  const record = (await scene.read())!;
  const diedMs = await first.die();
  const next = scene.worker(sends);
  return { job, diedMs, atMs: record.atMs, state: record.state, counters: next.counters };
}

/** Past its dispatch: in doubt after two leases, and no second email. */
export const held =
  (send: (sending: Sending) => Promise<unknown>, emails: number): Run =>
  async (scene, { doubtAfterMs, backInDoubtMs }) => {
    const { job, atMs, diedMs, state } = await dieIn(scene, send);
    expect(state).toBe('dispatched');
    scene.expectBetween((await scene.listed()) - atMs, doubtAfterMs);
    expect((await scene.ended(job)).failedReason).toContain('is in doubt');
    scene.expectBetween(Date.now() - diedMs, doubtAfterMs - (diedMs - atMs), backInDoubtMs);
    expect(scene.posts).toHaveLength(emails);
    expect(await scene.read()).toMatchObject({ state: 'in-doubt' });
  };
export const heldAfterDispatch = held(sends, 1);
export const heldFromTheFirstLine = held(async () => {}, 0);

/** Before its dispatch: the claim runs out, the next run sends. */
export const retried: Run = async (scene, { retriedAfterMs }) => {
  const { job, atMs, diedMs, state } = await dieIn(scene, async () => {});
  expect(state).toBe('claimed');
  expect((await scene.ended(job)).state).toBe('completed');
  expect(scene.posts).toHaveLength(1);
  // The claim lives for its lease, which is the longer of the two here.
  scene.expectBetween(scene.posts[0]! - diedMs, retriedAfterMs! - (diedMs - atMs), retriedAfterMs);
};

/** The job is back within the provider's window. */
export const replayed: Run = async (scene, { doubtAfterMs, backInDoubtMs, replayUntilMs }) => {
  const { job, atMs, diedMs, counters } = await dieIn(scene, sends);
  expect((await scene.ended(job)).state).toBe('completed');
  expect(counters).toMatchObject({ replayed: 1, sent: 1 });
  const [, again] = scene.posts;
  scene.expectBetween(again! - diedMs, doubtAfterMs - (diedMs - atMs), backInDoubtMs);
  expect(again! - atMs).toBeLessThan(replayUntilMs!);
};

/** The job is back too late for the provider's window. */
export const notReplayed: Run = async (scene, numbers) => {
  const { job, atMs, counters } = await dieIn(scene, sends);
  expect((await scene.ended(job)).failedReason).toContain('is in doubt');
  expect(Date.now() - atMs).toBeGreaterThan(numbers.replayUntilMs!);
  expect(counters.replayed).toBe(0);
  expect(scene.posts).toHaveLength(1);
};

/** Every answer is lost: replayed before the end of the window, never after it. */
export const replayedToTheEnd: Run = async (scene, { replayUntilMs }) => {
  scene.worker(unknownEnd);
  const job = await scene.add();
  const { atMs } = (await scene.once('in-doubt'))!;
  expect((await scene.ended(job)).failedReason).toContain('is in doubt');
  scene.expectBetween(Date.now() - atMs, replayUntilMs!);
  expect(scene.posts.length).toBeGreaterThan(1);
  for (const postMs of scene.posts) expect(postMs - atMs).toBeLessThanOrEqual(replayUntilMs!);
};

/**
 * onBusy "throw" and one attempt: the doubt of an error is not replayed, though the window is open.
 */
export const noAttemptLeft: Run = async (scene, { replayUntilMs }) => {
  const { counters } = scene.worker(unknownEnd);
  const job = await scene.add();
  expect((await scene.ended(job)).state).toBe('failed');
  const { atMs } = (await scene.once('in-doubt'))!;
  expect(Date.now() - atMs).toBeLessThan(replayUntilMs!);
  await until(atMs + replayUntilMs!);
  expect(counters.replayed).toBe(0);
  expect(scene.posts).toHaveLength(1);
};

/** A copy before the end of the retention is a duplicate, after it a new email. */
export const forgotten: Run = async (scene, { retentionMs }) => {
  const { counters } = scene.worker(sends);
  await scene.ended(await scene.add());
  const { atMs } = (await scene.once('sent'))!;
  await until(atMs + retentionMs - 150 * scene.scale);
  await scene.ended(await scene.add());
  expect(Date.now() - atMs).toBeLessThan(retentionMs);
  expect(counters.duplicate).toBe(1);
  await scene.once(undefined);
  scene.expectBetween(Date.now() - atMs, retentionMs);
  await scene.ended(await scene.add());
  expect(scene.posts).toHaveLength(2);
};

/** The same jobId, added again when the first job is removed: due a whole delay later. */
export const addedAgain =
  (emails: number): Run =>
  async (scene) => {
    const { counters } = scene.worker(sends);
    await scene.add();
    await soon(() => expect(counters.sent).toBe(1));
    const queue = scene.stage.queue();
    await soon(async () => expect(await queue.getJob('notice-7')).toBeUndefined());
    await scene.add();
    await soon(() => expect(counters.sent + counters.duplicate).toBe(2));
    expect(scene.posts).toHaveLength(emails);
  };

/** Refused each time: the last attempt begins when all the waits are over. */
export const lastAttempt =
  (attempts: number, least = 1): Run =>
  async (scene, { lastAttemptMs }) => {
    scene.worker(() => Promise.reject(new Error('refused')));
    const ended = await scene.ended(await scene.add());
    expect(ended.state).toBe('failed');
    expect(scene.runs).toHaveLength(attempts);
    scene.expectBetween(scene.runs.at(-1)! - scene.runs[0]!, lastAttemptMs! * least, lastAttemptMs);
    expect(scene.posts).toHaveLength(0);
  };

/** Fails once after its email was reported as sent: what the retry finds. */
export const failsAfterwards =
  (emails: number): Run =>
  async (scene) => {
    scene.worker(async (sending) => {
      await sends(sending);
      sending.claim.report({ verdict: 'sent' });
      if (scene.posts.length === 1) throw new Error('after the email');
    });
    expect(await scene.ended(await scene.add())).toMatchObject({ attemptsMade: 2 });
    expect(scene.posts).toHaveLength(emails);
  };

/** The first stall fails the job, and the email is not sent. */
export const failsAtFirstStall: Run = async (scene, { stallRecoveryMs, retriedAfterMs }) => {
  const { job, diedMs } = await dieIn(scene, async () => {});
  expect((await scene.ended(job)).failedReason).toBe('job stalled more than allowable limit');
  scene.expectBetween(Date.now() - diedMs, 0, stallRecoveryMs);
  expect(retriedAfterMs).toBeUndefined();
  expect(scene.posts).toHaveLength(0);
};

/**
 * Nearly the longest stall: the worker that has made the last check takes a job after it and dies,
 * and the other one asks just before the next check is due. Longer than the lock and one interval,
 * and bounded.
 */
export const recoveredLate: Run = async (scene, { stallRecoveryMs }) => {
  let reached = () => {};
  const there = new Promise<void>((resolve) => (reached = resolve));
  const first = scene.worker(({ hang }) => {
    reached();
    return hang();
  });
  const checks = `${scene.stage.prefix}:q:stalled-check`;
  await soon(async () => expect(await scene.stage.redis.exists(checks)).toBe(1));
  const job = await scene.add();
  await there;
  const diedMs = await first.die();
  // Its own first check, at once, comes 40 ms before the mark of the last one is gone.
  await until(Date.now() + (await scene.stage.redis.pttl(checks)) - 40 * scene.scale);
  scene.worker(sends);
  expect((await scene.ended(job)).state).toBe('completed');
  const { lockDuration, stalledInterval } = scene.options.worker as Record<string, number>;
  scene.expectBetween(
    scene.runs[1]! - diedMs,
    lockDuration! + stalledInterval! + 200 * scene.scale,
    stallRecoveryMs,
  );
};

/** One dispatch, and the SDK sends twice below it. */
export const sentBelow: Run = async (scene) => {
  const { counters } = scene.worker(async (sending) => {
    await sends(sending);
    // The answer was lost; the SDK retries within the call.
    sending.post();
  });
  await scene.ended(await scene.add());
  expect(counters).toMatchObject({ dispatched: 1, sent: 1 });
  expect(scene.posts).toHaveLength(2);
};

/** A copy that finds the email busy too often fails, though the other one is still sending. */
export const startedTooOften: Run = async (scene) => {
  scene.worker(async ({ hang }) => hang());
  await scene.add();
  await soon(() => expect(scene.runs).toHaveLength(1));
  scene.worker(sends);
  const copy = await scene.ended(await scene.add());
  expect(copy.failedReason).toBe('job started more than allowable limit');
  expect(scene.posts).toHaveLength(0);
};

/** The lock runs out under a send: the job is run beside it, and is busy. */
export const runBeside: Run = async (scene) => {
  let stalled = 0;
  const send = async (sending: Sending) => {
    await until(Date.now() + 900 * scene.scale);
    await sends(sending);
  };
  const both = [scene.worker(send), scene.worker(send)];
  const job = await scene.add();
  expect((await scene.ended(job)).state).toBe('completed');
  for (const { counters } of both) stalled += counters.busy;
  expect(stalled).toBeGreaterThan(0);
  expect(scene.posts).toHaveLength(1);
};

/** The resolver knows: its verdict "not sent" lets the next run send. */
export const resolved: Run = async (scene, { doubtAfterMs, backInDoubtMs }) => {
  const { job, atMs, diedMs } = await dieIn(scene, ({ claim }) => claim.dispatch());
  expect((await scene.ended(job)).state).toBe('completed');
  expect(scene.posts).toHaveLength(1);
  scene.expectBetween(scene.posts[0]! - diedMs, doubtAfterMs - (diedMs - atMs), backInDoubtMs);
  expect(await scene.read()).toMatchObject({ state: 'sent' });
};

/** Its claim outlives the attempts: the email is not sent, and its job has failed. */
export const busyAttempts: Run = async (scene) => {
  const { job, counters } = await dieIn(scene, async () => {});
  expect((await scene.ended(job)).failedReason).toContain('is being sent by another attempt');
  expect(counters.busy).toBe(3);
  expect(scene.posts).toHaveLength(0);
  expect(await scene.read()).toMatchObject({ state: 'claimed' });
};
