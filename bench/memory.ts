import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import type { Arguments } from './arguments.ts';
import { checkMemory, fill } from './fill.ts';
import type { Progress } from './progress.ts';
import { type MemoryForm, type Results, rounded } from './results.ts';
import type { Form } from './sent-email.ts';

const forms: Readonly<Record<MemoryForm, Form>> = {
  withoutTexts: { texts: 'none' },
  withJob: { texts: 'job' },
  scheduled: { texts: 'scheduled' },
  withJournal: { texts: 'job', journal: true },
};

/** Bytes of Redis for each settled email, by form, on servers that hold nothing else. */
export async function measureMemory(
  { records }: Arguments,
  progress: Progress,
): Promise<Results['bytesPerEmail']> {
  const count = records[Math.floor((records.length - 1) / 2)]!;
  checkMemory([count]);
  const bytes: Partial<Record<MemoryForm, number>> = {};
  for (const name of Object.keys(forms) as MemoryForm[]) {
    progress.step(`memory: ${count} settled emails, ${name}`);
    bytes[name] = await bytesOf(count, forms[name], progress);
  }
  return bytes;
}

async function bytesOf(records: number, form: Form, progress: Progress): Promise<number> {
  const server = await startRedis();
  const client = new Redis(server.url);
  try {
    const before = await usedMemory(client);
    await fill({ url: server.url, records, ...form }, progress);
    return rounded(((await usedMemory(client)) - before) / records, 1);
  } finally {
    client.disconnect();
    await server.stop();
  }
}

async function usedMemory(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
}
