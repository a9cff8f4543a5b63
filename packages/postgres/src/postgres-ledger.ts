import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Attempt,
  type Finding,
  type HeartbeatReply,
  type Ledger,
  type LedgerRecord,
  type Loss,
} from '@sendonce/core';
import { listRecords, lossAgainst } from '@sendonce/core/ledger';
import { batched } from './batch.ts';
import { examinePostgres } from './doctor.ts';
import { unavailable } from './errors.ts';
import { nowAndThen, sweep } from './expiry.ts';
import { heldClaims } from './held.ts';
import { migrate } from './migrate.ts';
import { checkOptions, type PostgresLedgerOptions } from './options.ts';
import { checkPool, type PostgresPool, type Row } from './pool.ts';
import { type Answer, encodeOperations } from './record.ts';
import { explain } from './rights.ts';
import { keepSession, type Session } from './session.ts';

export interface PostgresLedger extends Ledger {
  /**
   * Opens the session, and creates or checks the schema: what forbids to send here is refused at the
   * start of the program. The first verb does the same where nobody asked.
   * @throws {OptionError} for a pooler that shares sessions, a schema of another version, missing rights.
   * @throws {LedgerUnavailableError}
   */
  ready(): Promise<void>;
  doctor(): Promise<readonly Finding[]>;
  /**
   * Gives the session back to the pool, for good. Close the workers before it and the pool after it.
   * Whoever still holds a claim loses it.
   */
  close(): Promise<void>;
}

/**
 * A ledger on PostgreSQL (13 or later), by a `Pool` of pg 8 of yours. One session holds an advisory lock
 * that is the lease of every claim made in it: the server frees it when this process dies.
 * @throws {OptionError} for wrong options.
 *
 * @example
 * const ledger = postgresLedger(new Pool({ connectionString: process.env.DATABASE_URL }));
 */
export function postgresLedger(
  pool: PostgresPool,
  options: PostgresLedgerOptions = {},
): PostgresLedger {
  checkPool(pool);
  const { schema, migrate: mayMigrate, sweepEveryMs, answerWithinMs } = checkOptions(options);
  const held = heldClaims();
  let tellLost = (_tokens: readonly string[]): void => {};
  let stopWork: (() => void) | undefined;

  const session = keepSession({
    pool,
    answerWithinMs,
    async prepare(connection) {
      if (stopWork) return;
      await migrate(connection, schema, mayMigrate);
      stopWork ??= nowAndThen(sweepEveryMs, async () => {
        await disown(held.forgotten());
        await sweep(pool, schema);
      });
    },
    idle: { afterMs: IDLE_MS, holdsNothing: () => held.size === 0 },
    onLost: () => void lose(),
  });

  async function ask(text: string, values: (own: Session) => unknown[]): Promise<Row[]> {
    try {
      const own = await session.current();
      return await own.query(text, values(own));
    } catch (error) {
      throw await explain(error, pool, schema);
    }
  }

  const actText = `SELECT * FROM ${schema}.act($1, $2, $3, $4)`;
  const run = batched((operations, durable) =>
    ask(actText, ({ pid, lock }) => [pid, lock, durable, operations]),
  );

  /** The session is lost: all senders are told, and those that have dispatched are heard again at once. */
  async function lose(): Promise<void> {
    tellLost(held.sending().map(({ token }) => token));
    // Until then their emails are in doubt, and somebody could find that they were not sent.
    for (let pauseMs = 20; pauseMs < answerWithinMs; pauseMs *= 2) {
      const attempts = held.sending();
      if (attempts.length === 0 || (await beat(attempts).catch(() => undefined))) return;
      await sleep(pauseMs, undefined, { ref: false });
    }
  }

  function beat(attempts: readonly Attempt[]): Promise<HeartbeatReply[]> {
    return Promise.all(
      attempts.map(async (attempt) => {
        const { key, token } = attempt;
        const { word } = await run({ verb: 'heartbeat', key, token });
        if (word === 'kept') held.keep(attempt);
        else held.drop(token);
        return word === 'kept' ? 'kept' : 'lost';
      }),
    );
  }

  /** A heartbeat of no session: what was only claimed is given back, what was dispatched is in doubt. */
  async function disown(attempts: readonly Attempt[]): Promise<void> {
    if (attempts.length === 0) return;
    const operations = attempts.map(
      ({ key, token }) => ({ verb: 'heartbeat', key, token }) as const,
    );
    await ask(actText, ({ pid }) => [pid, null, true, encodeOperations(operations)]);
    for (const { token } of attempts) held.drop(token);
  }

  const ledger: PostgresLedger = {
    async ready() {
      await ask('SELECT 1', () => []);
    },

    async claim(request) {
      const { key, token, by, fingerprint, dispatched = false } = request;
      const answer = await run({ verb: 'claim', key, token, by, fingerprint, dispatched });
      if (answer.word !== 'won') return lossOf(answer, request, request.leaseMs);
      held.keep(request);
      return { state: 'won' };
    },

    async dispatch(attempt) {
      const answer = await run({ verb: 'dispatch', key: attempt.key, token: attempt.token });
      if (answer.word === 'dispatched') {
        held.keep(attempt);
        return { state: 'dispatched' };
      }
      held.drop(attempt.token);
      if (answer.word === 'expired') return { state: 'expired' };
      return lossOf(answer, {}, attempt.leaseMs);
    },

    async settle(settlement) {
      const { key, token, outcome, by, fingerprint } = settlement;
      held.conclude(token);
      const answer = await run({
        verb: 'settle',
        key,
        token,
        outcome,
        by,
        fingerprint,
        message_id: settlement.messageId,
        note: outcome === 'sent' ? undefined : settlement.note,
        result: outcome === 'sent' ? settlement.result : undefined,
        retention_ms: settlement.retentionMs,
      });
      held.drop(token);
      if (answer.word === 'settled') return { state: 'settled' };
      return { state: 'lost', record: standing(answer) };
    },

    async release({ key, token }) {
      held.conclude(token);
      const { word } = await run({ verb: 'release', key, token });
      held.drop(token);
      return { state: word === 'released' || word === 'in-doubt' ? word : 'lost' };
    },

    heartbeat: beat,

    async read(key) {
      return (await run({ verb: 'read', key })).record;
    },

    async *list({ state }) {
      const text = `SELECT key FROM ${schema}.open_keys($1, $2) key`;
      const rows = await ask(text, ({ lock }) => [state === 'in-doubt', lock]);
      const keys = rows.map((row) => String(row['key']));
      yield* listRecords(keys, ledger, state);
    },

    async resolve({ key, token, verdict, by, retentionMs }) {
      const { word, record } = await run({
        verb: 'resolve',
        key,
        token,
        verdict,
        note: `resolved by ${by}`,
        retention_ms: retentionMs,
      });
      return word === 'resolved' ? { state: 'resolved' } : { state: 'not-in-doubt', record };
    },

    async cancel({ key, by, retentionMs }) {
      const answer = await run({ verb: 'cancel', key, by, retention_ms: retentionMs });
      if (answer.word === 'cancelled') return { state: 'cancelled' };
      return { state: 'too-late', record: standing(answer) };
    },

    onLost: (listener) => void (tellLost = listener),

    doctor: () => examinePostgres(ask, schema),

    async close() {
      await session.close();
      stopWork?.();
      tellLost(held.sending().map(({ token }) => token));
    },
  };
  return ledger;
}

/** As long as pg itself keeps a connection that nobody uses. */
const IDLE_MS = 10_000;

/**
 * A session may die at any moment, and its claims with it: who is busy is asked again soon.
 * @throws {UnreadableRecordError}
 */
function lossOf(answer: Answer, attempt: Pick<Attempt, 'fingerprint'>, leaseMs: number): Loss {
  const record = standing(answer);
  const inDoubt = record.state === 'in-doubt';
  return lossAgainst(record, attempt, inDoubt ? -(answer.agoMs ?? 0) : Math.min(1_000, leaseMs));
}

function standing({ word, record }: Answer): LedgerRecord {
  if (record) return record;
  throw unavailable(new Error(`an answer that this version does not know: ${word}`));
}
