import type { Command } from '../command.ts';
import { completion } from './completion.ts';
import { dashboard } from './dashboard.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { doubts } from './doubts.ts';
import { explain } from './explain.ts';
import { resolve } from './resolve.ts';
import { show } from './show.ts';
import { status } from './status.ts';
import { watch } from './watch.ts';

/** In the order of the help. */
export const commands: readonly Command[] = [
  status,
  show,
  doubts,
  resolve,
  watch,
  dashboard,
  doctor,
  explain,
  demo,
  completion,
];
