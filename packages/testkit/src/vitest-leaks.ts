import { afterAll } from 'vitest';
import { eventually } from './eventually.ts';

// Timers are not among them: vitest has its own. Idle fetch connections do not count as active.
const watched = new Set(['TCPSocketWrap', 'TCPServerWrap', 'TCPConnectWrap', 'ProcessWrap']);

/** What is open, without what was open before, each as often as it is. */
function openSince(before: readonly string[]): string[] {
  const known = [...before];
  return process.getActiveResourcesInfo().filter((name) => {
    if (!watched.has(name)) return false;
    const index = known.indexOf(name);
    if (index === -1) return true;
    known.splice(index, 1);
    return false;
  });
}

/**
 * What an earlier file of this process left open: that file has failed for it, and not this one.
 */
const before = openSince([]);

/**
 * Fails a test file that leaves a socket, a server or a child process open. Registered in a setup
 * file, so its hook is the first registered and, hooks being a stack, the last to run.
 */
afterAll(async () => {
  // What was closed a moment ago may need another one: two seconds of grace.
  await eventually(
    () => {
      const open = openSince(before);
      if (open.length > 0) throw new Error(`this test file left open: ${open.join(', ')}`);
    },
    { timeoutMs: 2000, everyMs: 50 },
  );
});
