import { memoryLedger, perform, deriveKey, sleep, gate, say } from './common.mts';
// unknown end -> settle in-doubt written over a cancellation; a resolver then sends it.
const key = deriveKey(['n', 1]);
const opts = { key, leaseMs: 1000, retentionMs: 1e9, dispatch: 'at-send' as const };
const ledger = memoryLedger();
const a2 = gate(),
  frozen = gate();
const slow = {
  ...ledger,
  heartbeat: async () => {
    throw new Error('frozen');
  },
  settle: async (s: any) => {
    a2.open();
    await frozen.passed;
    return ledger.settle(s);
  },
};
const a = perform(
  async (c) => {
    await c.dispatch();
    throw new Error('ECONNRESET, nothing left');
  },
  { ...opts, ledger: slow as any },
).then((r) => r.state);
await a2.passed;
await sleep(2100);
const doubt = (await ledger.read(key))!;
say('record', doubt.state);
say(
  'person not-sent:',
  (
    await ledger.resolve({
      key,
      token: doubt.token,
      verdict: 'not-sent',
      by: 'ada',
      retentionMs: 1e9,
    })
  ).state,
);
say('cancel:', (await ledger.cancel({ key, retentionMs: 1e9 })).state);
frozen.open();
say('A wakes up and settles:', await a, '-> record', (await ledger.read(key))!.state);
let emails = 0;
const b = await perform(
  async (c) => {
    await c.dispatch();
    emails++;
  },
  { ...opts, ledger, resolver: async () => 'not-sent' },
);
say('next attempt, its resolver finds "not sent":', b.state, '; emails after "cancelled":', emails);
process.exit(0);
