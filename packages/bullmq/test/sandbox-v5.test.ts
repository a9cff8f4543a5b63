import * as bullmq5 from 'bullmq5';
import { describe, vi } from 'vitest';
import { sandboxSuite } from './sandbox-suite.ts';
import type { BullMQ } from './stage.ts';

// OnceWorker imports Worker from 'bullmq': in this file that is version 5.
vi.mock('bullmq', () => import('bullmq5'));

describe('OnceWorker on BullMQ 5', () => sandboxSuite(bullmq5 as unknown as BullMQ));
