import { memoryLedger, perform, deriveKey, sleep, gate, say } from './common.mts';
// "kept" by a heartbeat is taken for "still dispatched"; the record is a mere claim (a late repeat of A's claim).
const key = deriveKey(['n', 4]);
const opts = { key, leaseMs: 1000, retentionMs: 1e9, dispatch: 'at-send' as const };
const ledger = memoryLedger();
let cut = true,
  request: any;
let emails = 0;
const first = gate(),
  wake = gate();
const l = {
  ...ledger,
  claim: async (r: any) => {
    request = r;
    return ledger.claim(r);
  },
  heartbeat: async (x: any) => {
    if (cut) throw new Error('cut');
    return ledger.heartbeat(x);
  },
};
const a = perform(
  async (c) => {
    const one = c.begin();
    await one.dispatch();
    one.report({ verdict: 'refused' });
    first.open();
    await wake.passed;
    const two = c.begin();
    await two.dispatch();
    emails++;
    say('  A: fallback EMAIL LEAVES, record', (await ledger.read(key))?.state);
    await new Promise(() => {});
  },
  { ...opts, ledger: l as any },
);
void a;
await first.passed;
await sleep(2300);
const d = (await ledger.read(key))!;
say('record', d.state);
say(
  'person not-sent:',
  (await ledger.resolve({ key, token: d.token, verdict: 'not-sent', by: 'ada', retentionMs: 1e9 }))
    .state,
);
await ledger.claim(request);
say("a late repeat of A's claim is executed: record", (await ledger.read(key))!.state);
cut = false;
await sleep(700);
wake.open();
await sleep(50);
cut = true;
await sleep(1200);
say('record', await ledger.read(key));
say(
  'B:',
  (
    await perform(
      async (c) => {
        await c.dispatch();
        emails++;
        say('  B: EMAIL LEAVES');
      },
      { ...opts, ledger },
    )
  ).state,
  'emails',
  emails,
);
process.exit(0);
