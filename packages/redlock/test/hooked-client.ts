import { createHash } from 'node:crypto';
import type { RedisClient } from '@sendonce/redis';
import { recordLua } from '@sendonce/redis/internal';
import type { Redis } from 'ioredis';
import * as verbs from '../../redis/src/generated/scripts.ts';
import * as own from '../src/generated/scripts.ts';

// The two packages have a "cancel" each; the nodes are only asked for that of this one.
const names = new Map(
  Object.entries({ ...verbs, ...own }).flatMap(([name, lua]) =>
    // Some scripts of this package have the code that reads records in front of them.
    [lua, recordLua + lua].map((script) => [shaOf(script), name as ScriptName] as const),
  ),
);

function shaOf(script: string): string {
  return createHash('sha1').update(script).digest('hex');
}

export type ScriptName = keyof typeof verbs | keyof typeof own;

/** A client that does something else before the first command of a name leaves. */
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
      const name = names.get(sha) ?? '';
      const hook = waiting.get(name);
      waiting.delete(name);
      await hook?.();
      return client.evalsha(sha, numberOfKeys, ...rest);
    },
  };
}
