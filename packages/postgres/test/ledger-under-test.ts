import { isSendonceError, type Ledger } from '@sendonce/core';
import { startTcpProxy } from '@sendonce/testkit';
import { mortal, openSchema, type Space } from './database.ts';

const UNIT_MS = 100;

/**
 * What the conformance suite asks of a ledger.
 * @param prepare creates the schema, where the ledger may not.
 */
export async function ledgerUnderTest(
  space: Space = openSchema('conformance'),
  prepare: (space: Space) => Promise<void> = async () => {},
) {
  await prepare(space);
  const proxy = await startTcpProxy({ url: space.ledgerUrl });
  const one = mortal(space);
  const other = mortal(space);
  await one.ledger.ready();
  // What no program of this version writes.
  for (const name of ['records_state_check', 'records_check']) {
    await space.query(`ALTER TABLE :schema.records DROP CONSTRAINT ${name}`);
  }
  return {
    ledger: one.ledger,
    other: other.ledger,
    timeUnitMs: UNIT_MS,
    // A dead sender is noticed by the end of its session and not by time.
    async fallSilent(ms: number) {
      if (ms > UNIT_MS) await Promise.all([one.die(), other.die()]);
      else await new Promise((resolve) => setTimeout(resolve, ms));
    },
    async corrupt(key: string, bytes: string) {
      const state = `corrupt ${Buffer.from(bytes).toString('hex')}`;
      await space.query('UPDATE :schema.records SET state = $2 WHERE key = $1', [key, state]);
    },
    async stored(key: string) {
      const query = 'SELECT r::text AS row, state FROM :schema.records r WHERE key = $1';
      const [found] = await space.query<{ row: string; state: string }>(query, [key]);
      const hex = found?.state.match(/^corrupt (.*)$/)?.[1];
      return hex === undefined ? found?.row : Buffer.from(hex, 'hex').toString();
    },
    async lostReply<T>(verb: (ledger: Ledger) => Promise<T>): Promise<T> {
      const cut = space.ledger(space.pool(proxy.url));
      await cut.ready();
      const armed = proxy.cutAfterRequest('.act(');
      // As perform() does: a connection that broke is a session that ended, so the verb is
      // repeated.
      const answer = await verb(cut).catch((error: unknown) => {
        if (!isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE')) throw error;
        return verb(cut);
      });
      await armed.struck;
      return answer;
    },
    async close() {
      await space.close();
      await proxy.close();
    },
  };
}
