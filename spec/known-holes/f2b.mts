import { memoryLedger, perform, deriveKey, sleep, gate, say, provider } from './common.mts';
// A is frozen between the claim's execution and its reply; B replays; the window ends; A wakes, ASKS AGAIN, is told "dispatched".
const key = deriveKey(['n', 2]);
const W = 5000;
const opts = { key, leaseMs: 1000, retentionMs: 1e9, replayWithinMs: W };
const ledger = memoryLedger();
const p = provider(W);
const frozen = gate(),
  executed = gate();
const slow = {
  ...ledger,
  heartbeat: async () => {
    throw new Error('frozen');
  },
  claim: async (r: any) => {
    const reply = await ledger.claim(r);
    executed.open();
    await frozen.passed;
    return reply;
  },
};
const a = perform(
  () => {
    p.post('A');
  },
  { ...opts, ledger: slow as any },
).then(
  (r) => r.state,
  (e) => e.message,
);
await executed.passed;
say('A claim+dispatch executed, reply on its way; A frozen');
const before = (await ledger.read(key))!.atMs;
await sleep(2100);
say('record', (await ledger.read(key))!.state);
say(
  'B:',
  (
    await perform(
      () => {
        p.post('B');
        throw new Error('reply lost');
      },
      { ...opts, ledger },
    )
  ).state,
);
await sleep(W);
say('window over; record', (await ledger.read(key))!.state);
frozen.open();
say(
  'A:',
  await a,
  'emails',
  p.emails,
  '; time of dispatch moved by',
  (await ledger.read(key))!.atMs - before,
  'ms',
);
process.exit(0);
