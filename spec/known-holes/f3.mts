import { memoryLedger, deriveKey, sleep, say } from './common.mts';
const key = deriveKey(['n', 5]);
const a = { key, token: 'A'.repeat(22), leaseMs: 1000, retentionMs: 1e9 };
const l = memoryLedger();
await l.claim(a);
await l.dispatch(a);
const at = (await l.read(key))!.atMs;
await l.settle({ ...a, outcome: 'in-doubt', note: 'ECONNRESET' });
await sleep(500);
await l.dispatch(a);
const r = (await l.read(key))!;
say(
  'a repeat of the dispatch after "in doubt": state',
  r.state,
  ', time of dispatch moved by',
  r.atMs - at,
  'ms',
);
process.exit(0);
