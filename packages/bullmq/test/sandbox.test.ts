import * as bullmq from 'bullmq';
import { describe } from 'vitest';
import { sandboxSuite } from './sandbox-suite.ts';

describe('OnceWorker on BullMQ 6', () => sandboxSuite(bullmq));
