import { availableParallelism, freemem } from 'node:os';
import { startWorkerProcess } from '@sendonce/testkit';
import type { Progress } from './progress.ts';
import type { Form } from './sent-email.ts';

/** What one process has to settle. */
export interface FillOrder extends Form {
  readonly url: string;
  readonly records: number;
}

/** With room to spare: a table of Redis that grows is there twice for a while. */
const MOST_BYTES_PER_RECORD = 400;

/** @throws {Error} before anything is written, where these records would not fit into memory. */
export function checkMemory(records: readonly number[]): void {
  const total = records.reduce((sum, count) => sum + count, 0);
  const needed = total * MOST_BYTES_PER_RECORD;
  if (needed < freemem()) return;
  const gb = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GB`;
  throw new Error(
    `${total} records may need ${gb(needed)} of memory, and ${gb(freemem())} are free. Give fewer --records.`,
  );
}

/** Fills a ledger through its own verbs, from as many processes as there are cores beside Redis. */
export async function fill(
  { url, records, ...form }: FillOrder,
  progress: Progress,
): Promise<void> {
  const count = Math.min(Math.max(1, availableParallelism() - 1), Math.ceil(records / 10_000));
  const settled = Array.from({ length: count }, () => 0);
  let shownTenths = 0;
  const tell = () => {
    const done = settled.reduce((sum, one) => sum + one, 0);
    const text = `filling a ledger: ${done} of ${records}`;
    const tenths = Math.floor((done / records) * 10);
    if (tenths > shownTenths) progress.step(text);
    else progress.show(text);
    shownTenths = tenths;
  };
  const settle = async (_: unknown, index: number) => {
    const share =
      Math.floor(((index + 1) * records) / count) - Math.floor((index * records) / count);
    const filler = await startWorkerProcess({
      file: new URL('./fill-process.ts', import.meta.url),
      name: `filler ${index}`,
      data: { url, records: share, ...form } satisfies FillOrder,
    });
    filler.onMessage((message) => {
      settled[index] = (message as { settled: number }).settled;
      tell();
    });
    const { code, signal } = await filler.exited;
    if (code !== 0) throw new Error(`Filling ended with ${code ?? signal}: ${filler.output()}`);
  };
  await Promise.all(Array.from({ length: count }).map(settle));
}
