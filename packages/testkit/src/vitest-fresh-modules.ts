import { vi } from 'vitest';

/**
 * Gives a test file its own modules of everything in this repository, although it runs in a
 * process that has run others: a warning that is given once is given once in each file. What is
 * in node_modules is shared: to load it was half of the CPU time of the whole run.
 */
vi.resetModules();
