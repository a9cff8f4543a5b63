import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Claim,
  deriveKey,
  type Ledger,
  type LedgerRecord,
  LedgerUnavailableError,
  memoryLedger,
  perform,
  type Performed,
  type PerformOptions,
} from '../../src/index.ts';
import { createToken } from '../../src/store/index.ts';

/** The lease of an attempt that falls silent: real time has to pass until it knows that it did. */
export const SHORT_LEASE_MS = 40;
const LEASE_MS = 60_000;

export function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), passed };
}

/** Waits until an attempt that got no answer for so long knows that it was silent for a lease. */
export const silence = () => sleep(2.5 * SHORT_LEASE_MS);

export async function away(): Promise<never> {
  throw new LedgerUnavailableError('The server is away.');
}

/** A ledger that no heartbeat reaches. */
export const unheard = (ledger: Ledger): Ledger => ({
  ...ledger,
  heartbeat: () => new Promise<never>(() => {}),
});

type HeldVerb = 'claim' | 'dispatch' | 'settle' | 'release' | 'heartbeat' | 'read';

/** A ledger that executes one verb and holds its answer back. */
export function holding(ledger: Ledger, verb: HeldVerb) {
  const [executed, answered] = [gate(), gate()];
  const hold = async (request: never): Promise<unknown> => {
    const reply: unknown = await ledger[verb](request);
    executed.open();
    await answered.passed;
    return reply;
  };
  const held: Ledger = { ...ledger, [verb]: hold };
  return { ledger: held, executed: executed.passed, letGo: answered.open };
}

/**
 * One email, and a ledger whose clock is moved by hand: on a slow machine nothing expires in it
 * before the test says so.
 */
export function scene(options: Partial<PerformOptions> = {}) {
  let clockMs = 1_700_000_000_000;
  const ledger = memoryLedger({ now: () => clockMs });
  const key = deriveKey(createToken());
  /** Who has sent an email. */
  const left: string[] = [];

  const read = async () => (await ledger.read(key)) as LedgerRecord;
  const stateNow = async () => (await ledger.read(key))?.state;

  /** Starts an attempt. Its end is what it returned, or the error that it threw. */
  function start(effect: (claim: Claim) => unknown, changed: Partial<PerformOptions> = {}) {
    const events: string[] = [];
    const onEvent = ({ type }: { readonly type: string }) => void events.push(type);
    const all = { ledger, key, leaseMs: LEASE_MS, onEvent, ...options, ...changed };
    const ended: Promise<Performed<unknown> | Error> = perform(effect, all).catch(
      (error: Error) => error,
    );
    return { events, ended };
  }

  const sendAs = (name: string) => async (claim: Claim) => {
    await claim.dispatch();
    left.push(name);
  };

  return {
    ledger,
    key,
    left,
    read,
    stateNow,
    start,
    sendAs,
    /** Another attempt, from its beginning to its end. */
    attempt: (name: string, changed?: Partial<PerformOptions>) =>
      start(sendAs(name), changed).ended,
    /** A replay that is still on its way when this resolves. */
    startReplay: async () => {
      const [running, sending] = [gate(), gate()];
      const { ended } = start(async (claim) => {
        running.open();
        await sending.passed;
        await sendAs('replay')(claim);
      });
      await running.passed;
      return () => {
        sending.open();
        return ended;
      };
    },
    advance: (ms: number) => void (clockMs += ms),
    /** The ledger has had no command of the attempt for two leases. */
    fallInDoubt: async () => {
      clockMs += 2 * LEASE_MS;
      if ((await stateNow()) !== 'in-doubt') throw new Error('The email is not in doubt.');
    },
    /** A heartbeat of the attempt that holds the record arrives, however late. */
    heartbeat: async () => {
      const { token } = await read();
      return ledger.heartbeat([{ key, token, leaseMs: LEASE_MS, retentionMs: 1 }]);
    },
    resolve: async (verdict: 'sent' | 'not-sent') => {
      const { token } = await read();
      const resolution = { key, token, verdict, by: 'ada', retentionMs: 600_000 };
      if ((await ledger.resolve(resolution)).state !== 'resolved') throw new Error('not resolved');
    },
    listed: async () => {
      const records: LedgerRecord[] = [];
      for await (const record of ledger.list({ state: 'in-doubt' })) records.push(record);
      return records;
    },
  };
}
