import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Measure } from '../messages.ts';

/** What this process holds, after a garbage collection. */
export function measure(): Measure {
  // Without restarting Node with a flag.
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return {
    heapMb: process.memoryUsage().heapUsed / 2 ** 20,
    resources: process.getActiveResourcesInfo().length,
    openFiles: readdirSync('/proc/self/fd').length,
  };
}
