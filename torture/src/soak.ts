import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '@sendonce/testkit';
import { drawEmails, jobsOf } from './email.ts';
import { breakMail } from './faults/break-mail.ts';
import { drawFaults, faultKinds } from './faults/draw.ts';
import { healStores, strikeAll } from './faults/strike.ts';
import type { Measure } from './messages.ts';
import { startPerson } from './person.ts';
import { drained } from './progress.ts';
import { type Stage, withStage } from './stage.ts';
import { backoff } from './timing.ts';
import type { LedgerName } from './systems/names.ts';

export interface SoakOptions {
  readonly ledger: LedgerName;
  readonly seed: number;
  readonly workers: number;
  readonly emailsPerSecond: number;
  readonly forMs: number;
  readonly onSample?: (sample: Sample) => void;
}

/** Medians over the worker processes; all of them live from the first sample to the last. */
export interface Sample extends Measure {
  readonly minute: number;
  readonly emails: number;
  /** Keys of the ledger (rows in PostgreSQL), on its fullest server. */
  readonly keys: number;
}

export interface Soak {
  readonly ledger: LedgerName;
  readonly samples: readonly Sample[];
  readonly growth: Readonly<Record<keyof typeof tolerated, Growth>>;
  /** What is left when every retention is over, and how many of them are doubts. */
  readonly keysAtTheEnd: number;
  readonly inDoubtAtTheEnd: number;
  readonly flat: boolean;
}

/** From the second quarter of the samples to the last; the first one is the warm-up. */
export interface Growth {
  readonly from: number;
  readonly to: number;
}

/** What may be more at the end, as noise: a tenth, and so much. */
const tolerated = { heapMb: 2, resources: 4, openFiles: 4, keys: 200 } as const;

/** Short, so that keys come and go many times. */
const RETENTION_MS = 30_000;
const SAMPLE_MS = 30_000;

/** Emails in a steady stream, under the faults that leave processes alive: what grows is a leak. */
export async function soak(options: SoakOptions): Promise<Soak> {
  const { ledger: name, seed, workers, forMs } = options;
  return withStage(name, (stage) => play(stage, options), { retentionMs: RETENTION_MS });

  async function play(stage: Stage, { emailsPerSecond, onSample }: SoakOptions): Promise<Soak> {
    const { stores, queue, ledger, prefix } = stage;
    const kinds = faultKinds.filter((kind) => !kind.startsWith('kill') || kind === 'kill a server');
    const count = Math.round((emailsPerSecond * forMs) / 1_000);
    const emails = drawEmails({ seed, count, withinMs: forMs }).toSorted(
      (one, other) => one.dueMs - other.dueMs,
    );
    const crew = await stage.startWorkers(workers);
    const attends = () => true;
    const person = startPerson({
      ...stage,
      ledger: ledger!,
      crew,
      emails,
      attends,
      retentionMs: RETENTION_MS,
    });
    const mail = breakMail(seed, stage.deliveries);
    const striking = strikeAll(drawFaults({ seed, workers, forMs, kinds }), { ...stage, crew });

    const samples: Sample[] = [];
    const startedMs = performance.now();
    let added = 0;
    for (let nextMs = SAMPLE_MS; nextMs <= forMs; nextMs += SAMPLE_MS) {
      while (performance.now() - startedMs < nextMs) {
        // A queue that refuses or is down is asked again: the same ids make the same jobs.
        added += await addDue(performance.now() - startedMs).catch(() => 0);
        await sleep(250);
      }
      const sample = {
        minute: nextMs / 60_000,
        emails: added,
        keys: await keysOf(),
        ...middle(await crew.measure()),
      };
      samples.push(sample);
      onSample?.(sample);
    }

    async function addDue(elapsedMs: number): Promise<number> {
      let due = added;
      while (due < emails.length && emails[due]!.dueMs <= elapsedMs) due += 1;
      const tidy = { removeOnComplete: true, removeOnFail: { age: RETENTION_MS / 1_000 } };
      const options = { backoff, delay: 0, ...tidy };
      await queue.addBulk(emails.slice(added, due).flatMap((email) => jobsOf(email, options)));
      return due - added;
    }

    async function keysOf(): Promise<number> {
      // A server that is down just now.
      const ofLedger = stores.length > 1 ? stores.slice(1) : stores;
      const counts = ofLedger.map(async (store) => store.count(prefix).catch(() => 0));
      return Math.max(...(await Promise.all(counts)));
    }

    await striking;
    await healStores(stores);
    await crew.heal();
    mail.stop();
    await drained(queue, ledger);
    await sleep(3_000);
    await person.stop();
    await drained(queue, ledger);
    await sleep(RETENTION_MS + 5_000);
    let inDoubtAtTheEnd = 0;
    for await (const _ of ledger!.list({ state: 'in-doubt' })) inDoubtAtTheEnd += 1;
    return {
      ledger: name,
      samples,
      ...compare(samples),
      keysAtTheEnd: await keysOf(),
      inDoubtAtTheEnd,
    };
  }
}

function compare(samples: readonly Sample[]): Pick<Soak, 'growth' | 'flat'> {
  const quarter = Math.floor(samples.length / 4);
  const names = Object.keys(tolerated) as (keyof typeof tolerated)[];
  const grown = names.map((name) => {
    const values = samples.map((sample) => sample[name]);
    const from = median(values.slice(quarter, 2 * quarter));
    return [name, { from, to: median(values.slice(-quarter)) }] as const;
  });
  return {
    growth: Object.fromEntries(grown) as Soak['growth'],
    flat: grown.every(([name, { from, to }]) => to <= from * 1.1 + tolerated[name]),
  };
}

function middle(measures: readonly Measure[]): Measure {
  const of = (name: keyof Measure) => median(measures.map((measure) => measure[name]));
  return { heapMb: of('heapMb'), resources: of('resources'), openFiles: of('openFiles') };
}
