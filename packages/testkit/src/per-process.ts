/**
 * A value that exists once in a process, although each test file gets fresh modules: what listens
 * to the signals of the process, or may be used by the next file, too.
 */
export function perProcess<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(`sendonce testkit: ${name}`);
  const kept = globalThis as { [key: symbol]: T | undefined };
  return (kept[key] ??= make());
}
