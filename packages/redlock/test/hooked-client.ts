import { createHash } from 'node:crypto';
import type { RedisClient } from '@sendonce/redis';
import { recordLua } from '@sendonce/redis/internal';
import type { Redis } from 'ioredis';
import type { Verb } from '../../redis/src/command-queue.ts';
import * as redis from '../../redis/src/generated/scripts.ts';
import * as own from '../src/generated/scripts.ts';

// The two packages have a "cancel" each; the nodes are only asked for that of this one.
const names = new Map(
  Object.entries({ ...redis, ...own }).flatMap(([name, lua]) =>
    // Some scripts of this package have the code that reads records in front of them.
    [lua, recordLua + lua].map((script) => [shaOf(script), name] as const),
  ),
);

function shaOf(script: string): string {
  return createHash('sha1').update(script).digest('hex');
}

export type ScriptName = Verb | keyof typeof own;

/** A client that does something else before the first script or verb of a name leaves. */
export function hooked(
  client: Redis,
  before: { readonly [name in ScriptName]?: () => unknown },
): RedisClient {
  const waiting = new Map(Object.entries(before));
  return {
    options: client.options,
    info: (section) => client.info(section),
    eval: (script, numberOfKeys, ...rest) => client.eval(script, numberOfKeys, ...rest),
    async evalsha(sha, numberOfKeys, ...rest) {
      const name = names.get(sha);
      // The verbs of the Redis ledger are arguments of one script.
      const run = name === 'ledger' ? rest.slice(numberOfKeys).map(String) : [name ?? ''];
      for (const one of run.filter((word) => waiting.has(word))) {
        const hook = waiting.get(one);
        waiting.delete(one);
        await hook?.();
      }
      return client.evalsha(sha, numberOfKeys, ...rest);
    },
  };
}
