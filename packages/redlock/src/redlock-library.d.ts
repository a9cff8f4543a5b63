/**
 * The part of redlock 5.0.0-beta.2 that is used here. Its own types are not reachable through its
 * "exports", and ask for the client class of ioredis 4 where two methods are enough.
 */
declare module 'redlock' {
  export interface Client {
    evalsha(sha: string, numberOfKeys: number, args: unknown[]): Promise<unknown>;
    eval(script: string, numberOfKeys: number, args: unknown[]): Promise<unknown>;
  }

  export class Lock {
    readonly expiration: number;
    constructor(
      redlock: Redlock,
      resources: string[],
      value: string,
      attempts: readonly Promise<unknown>[],
      expiration: number,
    );
  }

  export default class Redlock {
    constructor(
      clients: Iterable<Client>,
      settings: { retryCount: number },
      scripts: Record<
        'acquireScript' | 'extendScript' | 'releaseScript',
        (original: string) => string
      >,
    );
    acquire(resources: string[], durationMs: number): Promise<Lock>;
    extend(lock: Lock, durationMs: number): Promise<Lock>;
  }
}
