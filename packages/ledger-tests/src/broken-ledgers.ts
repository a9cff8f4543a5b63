import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Attempt, Ledger, LedgerRecord } from '@sendonce/core';
import { memoryUnderTest } from './memory-under-test.ts';
import { removeByVerbs } from './table/remove-by-verbs.ts';
import type { LedgerUnderTest } from './topic.ts';

/**
 * A ledger with one mistake that a store could make, and the topic that must notice it.
 * See {@link brokenLedgers}.
 */
export interface BrokenLedger {
  /** What the ledger does wrong: "forgets a skip". */
  readonly name: string;
  /** The topic of {@link ledgerTopics} that must notice it. */
  readonly topic: string;
  /** Makes a ledger with this mistake. */
  readonly create: () => LedgerUnderTest;
}

type Break = (sound: Ledger) => Partial<Ledger>;

const DAY_MS = 86_400_000;

const mistakes: readonly (readonly [topic: string, name: string, change: Break])[] = [
  [
    'claim races',
    'asks first and writes then',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        await nextTurn();
        const reply = await sound.claim(request);
        return record ? reply : { state: 'won' };
      },
    }),
  ],
  [
    'in doubt',
    'takes the time of the doubt for that of the dispatch',
    (sound) => ({
      async claim(request) {
        const reply = await sound.claim(request);
        return reply.state === 'in-doubt' ? { ...reply, dispatchedAgoMs: 0 } : reply;
      },
    }),
  ],
  [
    'skipped',
    'takes a skip for an outcome that blocks',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        if (record?.state === 'skipped') return { state: 'rejected', record };
        return sound.claim(request);
      },
    }),
  ],
  [
    'skipped',
    'forgets a skip',
    (sound) => ({
      async settle(settlement) {
        if (settlement.outcome !== 'skipped') return sound.settle(settlement);
        await sound.release(settlement);
        return { state: 'settled' };
      },
    }),
  ],
  [
    'skipped',
    'compares the payload of an email with that of a skipped one',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        const { fingerprint } = request;
        const differs = fingerprint !== undefined && record?.fingerprint !== fingerprint;
        if (record?.state !== 'skipped' || !differs) return sound.claim(request);
        return { state: 'conflict', record, fields: ['total'] };
      },
    }),
  ],
  [
    'skipped',
    "lets a late skip take another attempt's claim",
    (sound) => ({
      async settle(settlement) {
        const record = await sound.read(settlement.key);
        if (settlement.outcome === 'skipped' && record?.state === 'claimed') {
          await sound.release(record);
        }
        return sound.settle(settlement);
      },
    }),
  ],
  [
    'skipped',
    'lets a skip replace what was sent under its token',
    (sound) => ({
      async settle(settlement) {
        const record = await sound.read(settlement.key);
        const isOwn = record?.token === settlement.token && record.state === 'sent';
        if (settlement.outcome === 'skipped' && isOwn) await removeByVerbs(sound, record);
        return sound.settle(settlement);
      },
    }),
  ],
  [
    'skipped',
    'writes "sent" over a cancellation without a dispatch',
    (sound) => ({
      async settle(settlement) {
        if (settlement.outcome !== 'sent') return sound.settle(settlement);
        return sound.settle({ ...settlement, undispatched: undefined });
      },
    }),
  ],
  [
    'transitions',
    'dates a dispatch by its claim',
    (sound) => {
      const claimedAtMs = new Map<string, number>();
      return {
        async claim(request) {
          const reply = await sound.claim(request);
          const record = await sound.read(request.key);
          if (record?.state === 'claimed') claimedAtMs.set(request.key, record.atMs);
          return reply;
        },
        async read(key) {
          const record = await sound.read(key);
          if (record?.state !== 'dispatched') return record;
          return { ...record, atMs: claimedAtMs.get(key) ?? record.atMs };
        },
      };
    },
  ],
  [
    'claim races',
    'does not say how long the others have to wait',
    (sound) => ({
      async claim(request) {
        const reply = await sound.claim(request);
        return reply.state === 'busy' ? { ...reply, retryAfterMs: 0 } : reply;
      },
    }),
  ],
  [
    'lost replies',
    'a naive SET NX: does not know its own token',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        if (record?.token !== request.token) return sound.claim(request);
        return { state: 'busy', record, retryAfterMs: request.leaseMs };
      },
    }),
  ],
  [
    'lost replies',
    'undoes the dispatch when the claim is repeated',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        const own = record?.token === request.token && record.state === 'dispatched';
        if (own && !request.dispatched) await sound.release(request);
        return sound.claim(request);
      },
    }),
  ],
  [
    'lost replies',
    'does not find itself dispatched',
    (sound) => ({
      async dispatch(attempt) {
        const record = await sound.read(attempt.key);
        if (record?.state !== 'dispatched') return sound.dispatch(attempt);
        return { state: 'busy', record, retryAfterMs: 1 };
      },
    }),
  ],
  [
    'lost replies',
    'undoes a verdict whose reply was lost',
    (sound) => ({
      async resolve(resolution) {
        const record = await sound.read(resolution.key);
        if (record?.state === 'in-doubt') return sound.resolve(resolution);
        return { state: 'not-in-doubt', record };
      },
    }),
  ],
  [
    'lease over',
    'claims never expire',
    (sound) => ({
      claim: (request) => sound.claim({ ...request, leaseMs: DAY_MS }),
    }),
  ],
  [
    'lease over',
    'dispatches after the lease',
    (sound) => ({
      async dispatch(attempt) {
        const reply = await sound.dispatch(attempt);
        if (reply.state !== 'expired') return reply;
        await sound.claim({ ...attempt, dispatched: true });
        return { state: 'dispatched' };
      },
    }),
  ],
  [
    'lease over',
    'heartbeats do not renew',
    (sound) => ({
      heartbeat: (attempts) => sound.heartbeat(attempts.map((one) => ({ ...one, leaseMs: 1 }))),
    }),
  ],
  [
    'settle',
    'a bare SET: writes over what another attempt has dispatched or settled',
    (sound) => ({
      async settle(settlement) {
        const { key, token } = settlement;
        const record = await sound.read(key);
        if (record && record.token !== token) await removeByVerbs(sound, record);
        return sound.settle(settlement);
      },
    }),
  ],
  [
    'settle',
    'drops a late outcome',
    (sound) => ({
      async settle(settlement) {
        const record = await sound.read(settlement.key);
        if (record?.token === settlement.token) return sound.settle(settlement);
        return { state: 'lost', record: record ?? emptyRecord(settlement) };
      },
    }),
  ],
  [
    'settle',
    'lets a doubt replace an outcome',
    (sound) => ({
      async settle(settlement) {
        const record = await sound.read(settlement.key);
        const settled = record?.state === 'sent' || record?.state === 'rejected';
        if (record && settled && settlement.outcome === 'in-doubt')
          await removeByVerbs(sound, record);
        return sound.settle(settlement);
      },
    }),
  ],
  [
    'release',
    'a bare DEL: releases the record of any attempt',
    (sound) => ({
      async release({ key, token }) {
        const record = await sound.read(key);
        return sound.release({ key, token: record?.token ?? token });
      },
    }),
  ],
  [
    'release',
    'keeps a record that was dispatched',
    (sound) => ({
      async release(attempt) {
        const record = await sound.read(attempt.key);
        return record?.state === 'dispatched' ? { state: 'lost' } : sound.release(attempt);
      },
    }),
  ],
  [
    'release',
    'releases a record that others may have read as in doubt',
    (sound) => ({
      async release(attempt) {
        const record = await sound.read(attempt.key);
        const own = record?.state === 'in-doubt' && record.token === attempt.token;
        if (own) await removeByVerbs(sound, record);
        return sound.release(attempt);
      },
    }),
  ],
  [
    'settle',
    'lets a doubt replace a cancellation',
    (sound) => ({
      async settle(settlement) {
        const record = await sound.read(settlement.key);
        if (record?.state === 'cancelled') await removeByVerbs(sound, record);
        return sound.settle(settlement);
      },
    }),
  ],
  [
    'lost replies',
    'dates a dispatch anew when it is repeated',
    (sound) => ({
      async dispatch(attempt) {
        const record = await sound.read(attempt.key);
        const own = record?.state === 'dispatched' && record.token === attempt.token;
        if (own && (await sound.release(attempt))) await sound.claim(attempt);
        return sound.dispatch(attempt);
      },
    }),
  ],
  [
    'lost replies',
    'forgets the texts of a dispatch when its claim is repeated',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        const own = record?.state === 'dispatched' && record.token === request.token;
        if (!own) return sound.claim(request);
        await removeByVerbs(sound, record);
        return sound.claim({ ...request, dispatched: true });
      },
    }),
  ],
  [
    'in doubt',
    'ends a doubt when its dispatch is repeated',
    (sound) => ({
      async dispatch(attempt) {
        const record = await sound.read(attempt.key);
        const own = record?.state === 'in-doubt' && record.token === attempt.token;
        if (own) await sound.heartbeat([attempt]);
        return sound.dispatch(attempt);
      },
    }),
  ],
  [
    'in doubt',
    'a SET with PX: a dispatch expires',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        if (record?.state === 'in-doubt') await removeByVerbs(sound, record);
        return sound.claim(request);
      },
    }),
  ],
  [
    'in doubt',
    'calls the doubt after one lease',
    (sound) => ({
      claim: (request) =>
        sound.claim(request.dispatched ? { ...request, leaseMs: request.leaseMs / 2 } : request),
      dispatch: (attempt) => sound.dispatch({ ...attempt, leaseMs: attempt.leaseMs / 2 }),
    }),
  ],
  [
    'in doubt',
    'does not list what fell silent',
    (sound) => ({
      async *list(query) {
        for await (const record of sound.list(query)) if (record.note !== undefined) yield record;
      },
    }),
  ],
  [
    'resolve',
    'takes a verdict about another attempt',
    (sound) => ({
      async resolve(resolution) {
        const record = await sound.read(resolution.key);
        return sound.resolve({ ...resolution, token: record?.token ?? resolution.token });
      },
    }),
  ],
  [
    'resolve',
    'resolves what is still being sent',
    (sound) => ({
      async resolve(resolution) {
        const record = await sound.read(resolution.key);
        if (record?.state !== 'dispatched') return sound.resolve(resolution);
        await sound.release(record);
        return { state: 'resolved' };
      },
    }),
  ],
  [
    'cancel',
    'cancels what was dispatched',
    (sound) => ({
      async cancel(cancellation) {
        const record = await sound.read(cancellation.key);
        if (record?.state === 'dispatched') await sound.release(record);
        return sound.cancel(cancellation);
      },
    }),
  ],
  [
    'cancel',
    'cancels only an email that was not claimed',
    (sound) => ({
      async cancel(cancellation) {
        const record = await sound.read(cancellation.key);
        return record?.state === 'claimed'
          ? { state: 'too-late', record }
          : sound.cancel(cancellation);
      },
    }),
  ],
  [
    'conflict',
    'takes a missing fingerprint for another one',
    (sound) => ({
      claim: (request) => sound.claim({ ...request, fingerprint: request.fingerprint ?? 'none' }),
    }),
  ],
  [
    'conflict',
    'compares no fingerprints',
    (sound) => ({
      claim: ({ fingerprint: _ignored, ...request }) => sound.claim(request),
    }),
  ],
  [
    'conflict',
    'compares the fingerprint before the token',
    (sound) => ({
      async claim(request) {
        const record = await sound.read(request.key);
        const known = record?.fingerprint ?? request.fingerprint;
        if (!record || known === (request.fingerprint ?? known)) return sound.claim(request);
        return { state: 'conflict', record, fields: [] };
      },
    }),
  ],
  [
    'retention',
    'never forgets outcomes',
    (sound) => ({
      settle: (settlement) => sound.settle({ ...settlement, retentionMs: 1000 * DAY_MS }),
    }),
  ],
  [
    'retention',
    'forgets outcomes with the lease',
    (sound) => ({
      settle: (settlement) => sound.settle({ ...settlement, retentionMs: settlement.leaseMs }),
    }),
  ],
  [
    'retention',
    'forgets to let cancellations expire',
    (sound) => ({
      cancel: (cancellation) => sound.cancel({ ...cancellation, retentionMs: 1000 * DAY_MS }),
    }),
  ],
  [
    'replay of results',
    'separates its fields by newlines',
    (sound) => ({
      async read(key) {
        const record = await sound.read(key);
        return record && changeTexts(record, (text) => text.split('\n')[0] ?? '');
      },
    }),
  ],
  [
    'replay of results',
    'stores one byte per character',
    (sound) => ({
      settle: (settlement) =>
        sound.settle(
          settlement.outcome === 'sent' && settlement.result !== undefined
            ? { ...settlement, result: Buffer.from(settlement.result, 'latin1').toString('latin1') }
            : settlement,
        ),
    }),
  ],
  [
    'list',
    'lists the first page only',
    (sound) => ({
      async *list(query) {
        let count = 0;
        for await (const record of sound.list(query)) if (count++ < 100) yield record;
      },
    }),
  ],
  [
    'list',
    'lists what is silent for longest last',
    (sound) => ({
      async *list(query) {
        const records: LedgerRecord[] = [];
        for await (const record of sound.list(query)) records.unshift(record);
        yield* records;
      },
    }),
  ],
  [
    'list',
    'pages by rank, which moves when others settle',
    (sound) => ({
      async *list(query) {
        for (let rank = 0; ; rank += 100) {
          const all: LedgerRecord[] = [];
          for await (const record of sound.list(query)) all.push(record);
          if (all.length <= rank) return;
          yield* all.slice(rank, rank + 100);
        }
      },
    }),
  ],
  [
    'list',
    'lists again what gets a heartbeat meanwhile',
    (sound) => {
      const renewed = new Set<string>();
      return {
        heartbeat(attempts) {
          for (const { key } of attempts) renewed.add(key);
          return sound.heartbeat(attempts);
        },
        async *list(query) {
          renewed.clear();
          yield* sound.list(query);
          for (const key of renewed) {
            const record = await sound.read(key);
            if (record?.state === 'dispatched' && query.state === 'open') yield record;
          }
        },
      };
    },
  ],
  [
    'list',
    'misses a doubt that its sender settles again meanwhile',
    (sound) => {
      const moved = new Set<string>();
      return {
        settle(settlement) {
          if (settlement.outcome === 'in-doubt') moved.add(settlement.key);
          return sound.settle(settlement);
        },
        async *list(query) {
          moved.clear();
          for await (const record of sound.list(query)) if (!moved.has(record.key)) yield record;
        },
      };
    },
  ],
  [
    'list',
    'lists everything as in doubt',
    (sound) => ({
      list: () => sound.list({ state: 'open' }),
    }),
  ],
  [
    'heartbeat',
    'answers in another order',
    (sound) => ({
      heartbeat: async (attempts) => (await sound.heartbeat(attempts)).toReversed(),
    }),
  ],
  [
    'heartbeat',
    'resurrects what is gone',
    (sound) => ({
      async heartbeat(attempts) {
        const replies = attempts.map(async (attempt) => {
          const { state } = await sound.claim(attempt);
          return state === 'won' ? ('kept' as const) : ('lost' as const);
        });
        return Promise.all(replies);
      },
    }),
  ],
  [
    'heartbeat',
    "renews another attempt's record",
    (sound) => ({
      async heartbeat(attempts) {
        for (const attempt of attempts) {
          const record = await sound.read(attempt.key);
          if (record) await sound.heartbeat([{ ...attempt, token: record.token }]);
        }
        return sound.heartbeat(attempts);
      },
    }),
  ],
  [
    'transitions',
    'calls an email that was rejected a duplicate',
    (sound) => ({
      async claim(request) {
        const reply = await sound.claim(request);
        return reply.state === 'rejected' ? { ...reply, state: 'duplicate' } : reply;
      },
    }),
  ],
  [
    'conflict',
    'does not say which fields differ',
    (sound) => ({
      async claim(request) {
        const reply = await sound.claim(request);
        return reply.state === 'conflict' ? { ...reply, fields: [] } : reply;
      },
    }),
  ],
  [
    'resolve',
    'writes the resolver over the reason of the doubt',
    (sound) => ({
      async read(key) {
        const { resolvedBy, ...record } = (await sound.read(key)) ?? {};
        if (!isRecord(record)) return undefined;
        return resolvedBy === undefined ? record : { ...record, note: `resolved by ${resolvedBy}` };
      },
    }),
  ],
  [
    'replay of results',
    'forgets the job when it settles',
    (sound) => ({
      settle: ({ job: _job, ...settlement }) => sound.settle(settlement),
    }),
  ],
  [
    'in doubt',
    'forgets that a late sender sent nothing',
    (sound) => ({
      async read(key) {
        const { lateNotSent: _late, ...record } = (await sound.read(key)) ?? {};
        return isRecord(record) ? record : undefined;
      },
    }),
  ],
];

const unreadable: readonly BrokenLedger[] = [
  {
    topic: 'unreadable records',
    name: 'takes what it cannot read for absent',
    create: () => blind(memoryUnderTest()),
  },
  {
    topic: 'unreadable records',
    name: 'fails every heartbeat for one unreadable record',
    create: () =>
      memoryUnderTest((sound) => ({
        ...sound,
        async heartbeat(attempts) {
          for (const { key } of attempts) await sound.read(key);
          return sound.heartbeat(attempts);
        },
      })),
  },
];

/** Every topic of {@link ledgerTopics} is failed by at least one of these. */
export const brokenLedgers: readonly BrokenLedger[] = [
  ...mistakes.map(([topic, name, change]) => ({
    topic,
    name,
    create: () => memoryUnderTest((sound) => ({ ...sound, ...change(sound) })),
  })),
  ...unreadable,
];

/** Corrupts by removing: what a ledger sees that takes unreadable bytes for absent. */
function blind(underTest: LedgerUnderTest): LedgerUnderTest {
  const { ledger } = underTest;
  const bytesByKey = new Map<string, string>();
  return {
    ...underTest,
    async corrupt(key, bytes) {
      const record = await ledger.read(key);
      if (record) await removeByVerbs(ledger, record);
      bytesByKey.set(key, bytes);
    },
    stored: async (key) => bytesByKey.get(key),
  };
}

function isRecord(record: Partial<LedgerRecord>): record is LedgerRecord {
  return record.key !== undefined;
}

function emptyRecord({ key, token }: Attempt): LedgerRecord {
  return { key, token, state: 'cancelled', atMs: 0 };
}

function changeTexts(record: LedgerRecord, change: (text: string) => string): LedgerRecord {
  const { by, note } = record;
  return {
    ...record,
    ...(by !== undefined && { by: change(by) }),
    ...(note !== undefined && { note: change(note) }),
  };
}
