import { bar, type LineOutput, movingLine } from '@sendonce/testkit/moving-line';
import type { Progress } from '../progress.ts';

/** One line that changes on a terminal; a line at each tenth, or at each new phase, elsewhere. */
export function progressLine(name: string, output: LineOutput) {
  const moving = movingLine(output);
  const startedMs = performance.now();
  let last = '';
  return {
    show({ phase, done, of }: Progress): void {
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      const line = `${name}: ${bar(done, of)} ${done}/${of} jobs  ${seconds} s  ${phase}`;
      const tenth = `${phase} ${of === 0 ? 0 : Math.floor((done / of) * 10)}`;
      if (moving.moves) moving.show(line);
      else if (tenth !== last) output.write(`${line}\n`);
      last = tenth;
    },
    clear: moving.clear,
  };
}
