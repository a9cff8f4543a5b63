import { afterAll } from 'vitest';
import { eventually } from './eventually.ts';

// Timers are not among them: vitest has its own. Idle fetch connections do not count as active.
const watched = new Set(['TCPSocketWrap', 'TCPServerWrap', 'TCPConnectWrap', 'ProcessWrap']);

/**
 * Fails a test file that leaves a socket, a server or a child process open. Registered as a setup
 * file, so its hook is the first registered and, hooks being a stack, the last to run.
 */
afterAll(async () => {
  // What was closed a moment ago may need another one: two seconds of grace.
  await eventually(
    () => {
      const open = process.getActiveResourcesInfo().filter((name) => watched.has(name));
      if (open.length > 0) throw new Error(`this test file left open: ${open.join(', ')}`);
    },
    { timeoutMs: 2000, everyMs: 50 },
  );
});
