import {
  memoryLedger,
  perform,
  deriveKey,
  sleep,
  gate,
  say,
  provider,
  LedgerUnavailableError,
} from './common.mts';
// A replay frozen before its request does not ask again; the person's "not sent" (A is dead, nothing left: true) goes unseen.
const key = deriveKey(['n', 3]);
const W = 9000;
const opts = { key, leaseMs: 1000, retentionMs: 1e9, replayWithinMs: W };
const ledger = memoryLedger();
const p = provider(W);
await ledger.claim({
  key,
  token: 'A'.repeat(22),
  leaseMs: 1000,
  retentionMs: 1e9,
  dispatched: true,
});
say('A claims, dispatches, dies: nothing left');
await sleep(2100);
const frozen = gate(),
  replaying = gate();
const mute = {
  ...ledger,
  heartbeat: async (x: any) => {
    if (replayed) throw new Error('frozen');
    replayed = true;
    return ledger.heartbeat(x);
  },
  settle: async () => {
    throw new Error('B dies before it can settle');
  },
};
let replayed = false;
const b = perform(
  async (c) => {
    replaying.open();
    await frozen.passed;
    await c.dispatch();
    p.post('B');
  },
  { ...opts, ledger: mute as any },
).then(
  (r) => r.state,
  (e) => e.name,
);
await replaying.passed;
say('B replays the doubt of A, and is frozen');
await sleep(2300);
const d = (await ledger.read(key))!;
say('record', d.state, 'token', d.token.slice(0, 3));
say(
  'person not-sent:',
  (await ledger.resolve({ key, token: d.token, verdict: 'not-sent', by: 'ada', retentionMs: 1e9 }))
    .state,
);
frozen.open();
say('B wakes up:', await b, '; record', await ledger.read(key));
await sleep(W + 100);
say(
  'C:',
  (
    await perform(
      () => {
        p.post('C');
      },
      { ...opts, ledger },
    )
  ).state,
  'emails',
  p.emails,
);
process.exit(0);
