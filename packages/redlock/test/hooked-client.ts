import { createHash } from 'node:crypto';
import type { RedisClient } from '@sendonce/redis';
import type { Redis } from 'ioredis';
import * as verbs from '../../redis/src/generated/scripts.ts';
import * as own from '../src/generated/scripts.ts';

// The two packages have a "cancel" each; the nodes are only asked for that of this one.
const names = new Map(
  Object.entries({ ...verbs, ...own }).map(([name, lua]) => [
    createHash('sha1').update(lua).digest('hex'),
    name as ScriptName,
  ]),
);

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
